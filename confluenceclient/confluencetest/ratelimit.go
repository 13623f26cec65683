package confluencetest

import (
	"net/http"
	"strconv"
	"time"
)

// second counts requests in one second.
type second struct {
	at    int64
	count int
}

// admit counts one request more. left is how many may still come in this second;
// less than 0: this one was too many.
func (c *second) admit(limit int, now time.Time) (left int) {
	if c.at != now.Unix() {
		*c = second{at: now.Unix()}
	}
	c.count++
	return limit - c.count
}

// limited answers 429 when the endpoint has had its requests for this second:
// the burst limit counts by endpoint and second (api-facts §4).
func (s *Simulator) limited(w http.ResponseWriter, route *route) bool {
	limit := s.settings.perSecond
	if limit <= 0 {
		return false
	}
	now := time.Now()
	s.mu.Lock()
	count := s.seconds[route.path]
	if count == nil {
		count = &second{}
		s.seconds[route.path] = count
	}
	left := count.admit(limit, now)
	s.mu.Unlock()
	tellLimit(w.Header(), limit, max(left, 0), now)
	if left >= 0 {
		return false
	}
	refuseRate(w)
	return true
}

// tellLimit sets the headers that tell how many requests are left.
func tellLimit(h http.Header, limit, left int, now time.Time) {
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(left))
	h.Set("X-RateLimit-Reset", now.Truncate(time.Second).Add(time.Second).UTC().Format("2006-01-02T15:04:05Z"))
	if left*5 < limit {
		h.Set("X-RateLimit-NearLimit", "true")
	}
}

func refuseRate(w http.ResponseWriter) {
	w.Header().Set("Retry-After", "1")
	w.Header().Set("RateLimit-Reason", "confluence-burst-based")
	answerJSON(w, http.StatusTooManyRequests, object{"code": 429, "message": "Rate limit exceeded"})
}
