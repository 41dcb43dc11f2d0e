package api

import (
	"context"
	"maps"
	"net/http"
)

// Inside is what the application counts inside its own handlers and jobs, independent of Headcount's counters.
// A peak is the highest value since the application started.
type Inside struct {
	WS               int `json:"ws"`
	WSPeak           int `json:"ws_peak"`
	UserChildren     int `json:"user_children"`
	UserChildrenPeak int `json:"user_children_peak"`
	PerUserPeak      int `json:"per_user_peak"`
	Jobs             int `json:"jobs"`
	JobsPeak         int `json:"jobs_peak"`
	Requests         int `json:"requests"`
	RequestsPeak     int `json:"requests_peak"`
	Goroutines       int `json:"goroutines"`

	HeapBytes int64 `json:"heap_bytes"`
	RSSBytes  int64 `json:"rss_bytes"`

	Limits struct {
		Users    int `json:"users"`
		PerUser  int `json:"per_user"`
		Jobs     int `json:"jobs"`
		Requests int `json:"requests"`
		Conns    int `json:"conns"`
	} `json:"limits"`

	// Refused holds, for each place that refuses, how often and for which reason.
	Refused  map[string]map[string]int `json:"refused"`
	Restarts int                       `json:"restarts"`
	Stuck    []string                  `json:"stuck"`
}

// Children is the number of children with work of their own: those of users and those of the workers.
func (i Inside) Children() int { return i.UserChildren + i.Jobs }

// RefusedSince returns what was refused after before was taken, without zeros, as "place: reason" -> count.
func (i Inside) RefusedSince(before Inside) map[string]int {
	diff := make(map[string]int)
	for place, reasons := range i.Refused {
		for reason, n := range reasons {
			diff[place+": "+reason] = n - before.Refused[place][reason]
		}
	}
	maps.DeleteFunc(diff, func(_ string, n int) bool { return n == 0 })
	return diff
}

// Inside asks the application for its inside counts.
func (c *Client) Inside(ctx context.Context) (Inside, error) {
	var in Inside
	err := c.call(ctx, http.MethodGet, "/debug/inside", "", nil, &in)
	return in, err
}
