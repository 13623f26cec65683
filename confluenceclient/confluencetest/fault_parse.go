package confluencetest

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"
)

// ParseFault reads a fault as command lines have it: key=value between commas,
// such as "route=/wiki/api/v2/pages/{id},status=429,retry-after=1,count=2". The
// keys are route, face, status, retry-after, header (NAME:VALUE, may come
// again), delay, jitter, per-second, reason (of a 429, as RateLimit-Reason has
// it), reset, short-body, no-length, after, count; and body, which comes last and
// may hold commas. It refuses what would not act as it reads.
func ParseFault(text string) (Fault, error) {
	f := Fault{Header: http.Header{}}
	var seen []string
	for rest := text; rest != ""; {
		part, others, more := strings.Cut(rest, ",")
		if strings.HasPrefix(strings.TrimSpace(part), "body=") && more {
			part, others = rest, ""
		}
		rest = others
		key, value, _ := strings.Cut(part, "=")
		key = strings.TrimSpace(key)
		if slices.Contains(seen, key) && key != "header" {
			return Fault{}, fmt.Errorf("fault %q: %s comes twice", text, key)
		}
		seen = append(seen, key)
		if err := f.set(key, value); err != nil {
			return Fault{}, fmt.Errorf("fault %q: %s: %w", text, key, err)
		}
	}
	if err := f.check(); err != nil {
		return Fault{}, fmt.Errorf("fault %q: %w", text, err)
	}
	return f, nil
}

func (f *Fault) set(key, value string) (err error) {
	switch key {
	case "route":
		f.Route = value
		return f.checkRoute()
	case "face":
		if f.Face = Face(value); f.Face != FaceGateway && f.Face != FaceSite && f.Face != FaceAuth && f.Face != FaceMedia {
			return errors.New("is none of gateway, site, auth, media")
		}
	case "status":
		if f.Status, err = strconv.Atoi(value); err == nil && (f.Status < 200 || f.Status > 599) {
			return errors.New("is no status from 200 to 599")
		}
	case "retry-after":
		return f.addHeader("Retry-After", value)
	case "header":
		name, content, ok := strings.Cut(value, ":")
		if !ok {
			return errors.New("is not of the form NAME:VALUE")
		}
		return f.addHeader(strings.TrimSpace(name), strings.TrimSpace(content))
	case "body":
		f.Body = value
	case "delay":
		f.Delay, err = wait(value)
	case "jitter":
		f.Jitter, err = wait(value)
	case "per-second":
		if f.PerSecond, err = times(value); err == nil && f.PerSecond == 0 {
			return errors.New("0 would let nothing pass: that is status=429")
		}
	case "reason":
		if !slices.Contains(reasons(), value) {
			return fmt.Errorf("is none of %s", strings.Join(reasons(), ", "))
		}
		return f.addHeader("RateLimit-Reason", value)
	case "reset":
		f.Reset, err = flag(value)
	case "no-length":
		f.NoLength, err = flag(value)
	case "short-body":
		f.ShortBody, err = parseSize(value)
	case "after":
		f.After, err = times(value)
	case "count":
		f.Count, err = times(value)
	default:
		return errors.New("is no key of a fault")
	}
	return err
}

// checkRoute refuses routes that no request has.
func (f *Fault) checkRoute() error {
	template, ok := f.template()
	switch {
	case !strings.HasPrefix(f.Route, "/"):
		return errors.New("does not begin with /, as every path does")
	case ok && !slices.ContainsFunc(routes(), func(r *route) bool { return shape(r.path) == shape(template) }):
		return errors.New("is the template of no endpoint that the simulator has")
	}
	return nil
}

func (f *Fault) addHeader(name, value string) error {
	if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
		return fmt.Errorf("%q: %q is no header", name, value)
	}
	f.Header.Add(name, value)
	return nil
}

// check refuses keys that cannot all act.
func (f *Fault) check() error {
	answers := f.Status != 0 || f.PerSecond > 0 || len(f.Header) > 0 || f.ShortBody > 0 || f.NoLength
	switch {
	case f.Body != "" && f.Status == 0:
		return errors.New("a body needs a status")
	case f.Body != "" && (f.Status == http.StatusNoContent || f.Status == http.StatusNotModified):
		return fmt.Errorf("an answer with status %d has no body", f.Status)
	case f.PerSecond > 0 && f.Status != 0 && f.Status != http.StatusTooManyRequests:
		return errors.New("per-second answers 429, and no other status")
	case f.Header.Get("RateLimit-Reason") != "" && f.Status != http.StatusTooManyRequests && f.PerSecond == 0:
		return errors.New("a reason is that of a 429: give it status=429 or per-second")
	case f.Reset && answers:
		return errors.New("a reset sends no answer, so it goes with no status, header, per-second, short-body or no-length")
	case f.Status != 0 && f.ShortBody > 0 && f.ShortBody >= int64(len(f.Body)):
		return fmt.Errorf("short-body cuts nothing off a body of %d bytes", len(f.Body))
	case !answers && !f.Reset && f.Delay == 0 && f.Jitter == 0:
		return errors.New("it does nothing: give it a status, header, delay, jitter, per-second, reset, short-body or no-length")
	}
	return nil
}

// flag reads a key that may stand alone.
func flag(value string) (bool, error) {
	if value == "" {
		return true, nil
	}
	return strconv.ParseBool(value)
}

// reasons are what 429s say is used up (api-facts §4).
func reasons() []string {
	return []string{"confluence-burst-based", "confluence-quota-global-based", "confluence-quota-tenant-based"}
}

func wait(value string) (time.Duration, error) {
	d, err := time.ParseDuration(value)
	if err == nil && d < 0 {
		return 0, errors.New("cannot be less than 0")
	}
	return d, err
}

func times(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err == nil && n < 0 {
		return 0, errors.New("cannot be less than 0")
	}
	return n, err
}
