package confluencetest

import (
	"net/http"
	"strconv"
	"time"
)

// second counts the requests for one endpoint in one second.
type second struct {
	at    int64
	count int
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
	if count == nil || count.at != now.Unix() {
		count = &second{at: now.Unix()}
		s.seconds[route.path] = count
	}
	count.count++
	left := max(limit-count.count, 0)
	over := count.count > limit
	s.mu.Unlock()
	h := w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(left))
	h.Set("X-RateLimit-Reset", now.Truncate(time.Second).Add(time.Second).UTC().Format("2006-01-02T15:04:05Z"))
	if left*5 < limit {
		h.Set("X-RateLimit-NearLimit", "true")
	}
	if !over {
		return false
	}
	h.Set("Retry-After", "1")
	h.Set("RateLimit-Reason", "confluence-burst-based")
	answerJSON(w, http.StatusTooManyRequests, object{"code": 429, "message": "Rate limit exceeded"})
	return true
}
