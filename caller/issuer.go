package caller

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Issuer is one who may vouch for callers: an OpenID Connect issuer. Its keys
// are found as OpenID Connect Discovery 1.0 says.
type Issuer struct {
	URL       string   // exactly as tokens write it in iss
	Audiences []string // a token must be for one of these
}

// issuer is one that is trusted.
type issuer struct {
	audiences []string
	keys      *keySet
}

// merge makes one of issuers that are listed several times, as they are when
// several callers come from there.
func merge(issuers []Issuer) (map[string][]string, error) {
	merged := map[string][]string{}
	var problems []error
	for _, i := range issuers {
		if err := checkEndpoint(i.URL); err != nil {
			problems = append(problems, fmt.Errorf("issuer %q: %w", i.URL, err))
		}
		if strings.Contains(i.URL, "?") {
			problems = append(problems, fmt.Errorf("issuer %q: it must have no query, by OpenID Connect Discovery", i.URL))
		}
		if len(i.Audiences) == 0 || slices.Contains(i.Audiences, "") {
			problems = append(problems, fmt.Errorf("issuer %q: an audience is required and must not be empty: without, tokens that were made for others would be taken", i.URL))
		}
		for _, audience := range i.Audiences {
			if !slices.Contains(merged[i.URL], audience) {
				merged[i.URL] = append(merged[i.URL], audience)
			}
		}
	}
	return merged, errors.Join(problems...)
}

// checkEndpoint tells whether keys can be had from here without anybody on the
// way being able to change them.
func checkEndpoint(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return errors.New("it is not an address, such as https://issuer.acme.example")
	case u.User != nil || u.Fragment != "":
		return errors.New("it must have neither a user nor a fragment")
	case u.Scheme == "https" || u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	}
	return errors.New("it must begin with https://; plain http is for loopback addresses only")
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
