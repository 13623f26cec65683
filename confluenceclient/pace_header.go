package confluenceclient

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// perSecondLimit reads X-RateLimit-Limit where it is about seconds: where
// X-RateLimit-Reset is no more than two away, by the upstream's clock if it tells
// one. Limits of longer windows are none for a pace.
func perSecondLimit(header http.Header, now time.Time) float64 {
	limit, err := strconv.ParseFloat(strings.TrimSpace(header.Get("X-RateLimit-Limit")), 64)
	if err != nil || math.IsNaN(limit) || math.IsInf(limit, 0) || limit < 1 {
		return 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	reset, ok := parseInstant(header.Get("X-RateLimit-Reset"))
	if away := reset.Sub(now); !ok || away < -2*time.Second || away > 2*time.Second {
		return 0
	}
	return limit
}

// isAboutTenant tells whether a 429 names another reason than the burst of one
// endpoint: a quota, that is. The names of reasons vary (api-facts §4).
func isAboutTenant(header http.Header) bool {
	reason := strings.ToLower(header.Get("RateLimit-Reason"))
	return reason != "" && !strings.Contains(reason, "burst")
}
