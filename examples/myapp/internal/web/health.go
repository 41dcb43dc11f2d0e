package web

import (
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"

	"github.com/headcount-go/headcount"
)

// The paths that a probe asks for, and what may be asked from this machine. They are in none of
// the Rooms.
const (
	healthPath = "/healthz"
	readyPath  = "/readyz"
	insidePath = "/debug/inside"
)

func isProbe(path string) bool { return path == healthPath || path == readyPath || path == insidePath }

// healthz answers while the process does.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) {
	s.answer(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readyz answers 200 while the whole tree is up: what says so is its last child, so it is the last up and the first down.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	if !s.ready.Load() {
		s.fail(w, r, &problem{http.StatusServiceUnavailable, "stopping", "the service is stopping"})
		return
	}
	s.answer(w, http.StatusOK, map[string]string{"status": "ready"})
}

// insideAnswer is what runs, as counted by the functions that run, beside the limits that should hold it.
type insideAnswer struct {
	WS               int64 `json:"ws"`
	WSPeak           int64 `json:"ws_peak"`
	UserChildren     int64 `json:"user_children"`
	UserChildrenPeak int64 `json:"user_children_peak"`
	PerUserPeak      int   `json:"per_user_peak"`
	Jobs             int64 `json:"jobs"`
	JobsPeak         int64 `json:"jobs_peak"`
	Requests         int64 `json:"requests"`
	RequestsPeak     int64 `json:"requests_peak"`

	Goroutines int    `json:"goroutines"`
	HeapBytes  uint64 `json:"heap_bytes"`
	RSSBytes   uint64 `json:"rss_bytes"`

	Limits   map[string]int               `json:"limits"`
	Refused  map[string]map[string]uint64 `json:"refused"`
	Restarts uint64                       `json:"restarts"`
	Stuck    []string                     `json:"stuck"`
}

// debugInside is for whoever checks the limits from the same machine.
func (s *Server) debugInside(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		s.fail(w, r, &problem{http.StatusForbidden, "not_allowed", "from this machine only"})
		return
	}
	c, supervisor, workers := s.Counts, s.Users.Supervisor, s.Jobs.Workers
	places := map[string]map[string]uint64{"users": refused(supervisor.Counts()), "workers": refused(workers.Counts())}
	for node := range s.Endpoint.Supervisor().Tree().All() { // web, requests, conns
		places[node.Name] = refusedAt(node)
	}
	s.answer(w, http.StatusOK, insideAnswer{
		WS: c.WS.Now(), WSPeak: c.WS.Peak(),
		UserChildren: c.UserChildren.Now(), UserChildrenPeak: c.UserChildren.Peak(), PerUserPeak: c.PerUserPeak(),
		Jobs: c.Jobs.Now(), JobsPeak: c.Jobs.Peak(),
		Requests: c.Requests.Now(), RequestsPeak: c.Requests.Peak(),
		Goroutines: runtime.NumGoroutine(), HeapBytes: heapBytes(), RSSBytes: rssBytes(),
		Limits: map[string]int{
			"users": supervisor.MaxChildren().Value(), "per_user": supervisor.MaxPerKey().Value(),
			"jobs": workers.MaxChildren().Value(), "requests": s.Endpoint.Gate("route_" + shortRoute).Limit().Value(),
			"conns": s.Endpoint.Conns().MaxChildren().Value(),
		},
		Refused:  places,
		Restarts: workers.Counts().Restarts,
		Stuck:    stuck(workers),
	})
}

func refused(c headcount.Counts) map[string]uint64 {
	return map[string]uint64{
		headcount.ReasonMaxChildren.String():    c.Refused.MaxChildren,
		headcount.ReasonMaxPerKey.String():      c.Refused.MaxPerKey,
		headcount.ReasonMaxDescendants.String(): c.Refused.MaxDescendants,
		headcount.ReasonQueueFull.String():      c.Refused.QueueFull,
		headcount.ReasonWaitTimeout.String():    c.Refused.WaitTimeout,
		headcount.ReasonPriority.String():       c.Refused.Priority,
	}
}

// refusedAt adds what the gates have refused, those of the endpoint.
func refusedAt(node headcount.TreeNode) map[string]uint64 {
	counts := refused(node.Counts)
	for _, g := range node.Gates {
		counts[g.Name] = g.Refused
	}
	return counts
}

// stuck names the first hundred children that have outlived their stop.
func stuck(workers *headcount.DynamicSupervisor) []string {
	paths := []string{}
	if workers.Counts().Stuck == 0 {
		return paths
	}
	infos, _ := workers.Children(headcount.Query{Limit: 100, Match: func(i headcount.ChildInfo) bool { return i.State == headcount.StateStuck }})
	for _, i := range infos {
		paths = append(paths, i.Path)
	}
	return paths
}

// heapBytes does not stop the world, as runtime.ReadMemStats would.
func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}

// rssBytes is the memory of the process as Linux sees it, 0 elsewhere.
func rssBytes() uint64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(raw))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}
