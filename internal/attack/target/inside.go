package target

import (
	"encoding/json"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"
)

// Inside is what the page of a target tells.
type Inside struct {
	Goroutines     int
	PeakGoroutines int    // sampled every few milliseconds
	Handlers       int    // requests in their handlers
	PeakHandlers   int    // exact, counted in the handlers
	PeakPerAddress int    // of the address that had most, exact too
	Entered        int    // requests that have ever come to a handler
	Heap           uint64 // bytes allocated; after a collection if that was asked for
}

// page serves Inside as JSON at /debug. ?begin forgets the peaks, ?collect collects garbage first and gives memory back.
type page struct {
	counts         *Counts
	peakGoroutines atomic.Int64
}

// sample keeps the peak of the goroutines, for as long as the process lives.
func (p *page) sample() {
	for range time.Tick(5 * time.Millisecond) {
		p.peakGoroutines.Store(max(p.peakGoroutines.Load(), int64(runtime.NumGoroutine())))
	}
}

func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("collect") != "" {
		debug.FreeOSMemory()
	}
	if r.FormValue("begin") != "" {
		p.counts.begin()
		p.peakGoroutines.Store(0)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	s := Inside{Goroutines: runtime.NumGoroutine(), Heap: m.HeapAlloc}
	s.PeakGoroutines = max(s.Goroutines, int(p.peakGoroutines.Load()))
	p.counts.fill(&s)
	_ = json.NewEncoder(w).Encode(s) // the reader sees what is missing
}
