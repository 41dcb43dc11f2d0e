// Package apptest is a stand-in for the example application, for the tests of those who meet it over the wire. It has
// the same HTTP interface, plain counters for limits, and can be told to misbehave.
package apptest

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
)

// App is the stand-in. Its fields are set before it serves; 0 means no limit.
type App struct {
	MaxUsers   int // websockets of all users together; users who are not proven may fill four fifths
	MaxPerUser int
	MaxJobs    int // jobs that may be unfinished at once; as with MaxUsers
	// JobTakes is how long a job takes.
	JobTakes time.Duration
	// CloseAfter makes the app close a websocket after so many echoes.
	CloseAfter int
	// Garble makes the app answer with another text than it was sent.
	Garble bool
	// Stall, if set, is waited for before an echo is sent back.
	Stall chan struct{}

	mu struct {
		sync.Mutex
		inside   api.Inside
		perUser  map[string]int
		jobs     map[string]time.Time // id -> when it is done
		messages map[string][]string
		hung     []string
	}
}

// Handler returns the interface of the app.
func (a *App) Handler() http.Handler {
	a.mu.perUser = make(map[string]int)
	a.mu.jobs = make(map[string]time.Time)
	a.mu.messages = make(map[string][]string)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /ws", a.ws)
	mux.HandleFunc("POST /jobs", a.postJob)
	mux.HandleFunc("GET /jobs/{id}", a.job)
	mux.HandleFunc("POST /messages", a.post)
	mux.HandleFunc("GET /poll", a.poll)
	mux.HandleFunc("GET /debug/inside", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, a.Inside()) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.requests(1)
		defer a.requests(-1)
		mux.ServeHTTP(w, r)
	})
}

func (a *App) requests(n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	in := &a.mu.inside
	in.Requests += n
	in.RequestsPeak = max(in.RequestsPeak, in.Requests)
}

// Inside returns what the app counts.
func (a *App) Inside() api.Inside {
	a.mu.Lock()
	defer a.mu.Unlock()
	in := a.mu.inside
	in.Jobs = a.unfinishedLocked()
	in.Goroutines = runtime.NumGoroutine()
	return in
}

// caller reads a token. The signature is the business of the real application.
func caller(r *http.Request) (name string, proven bool) {
	signed, _, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), ".")
	raw, _ := base64.RawURLEncoding.DecodeString(signed)
	var claims struct {
		User   string `json:"u"`
		Proven bool   `json:"p"`
	}
	_ = json.Unmarshal(raw, &claims) // an empty name is a user too
	return claims.User, claims.Proven
}

// full reports whether a limit leaves no room for one more.
func full(running, limit int, proven bool) bool {
	if !proven {
		limit = (4*limit + 4) / 5
	}
	return limit > 0 && running >= limit
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // whoever asked may have gone
}

func refuse(w http.ResponseWriter, code int, reason string) {
	w.Header().Set("Retry-After", "1")
	answer(w, code, map[string]string{"error": "refused", "reason": reason})
}

func (a *App) ws(w http.ResponseWriter, r *http.Request) {
	name, proven := caller(r)
	a.mu.Lock()
	switch {
	case a.MaxPerUser > 0 && a.mu.perUser[name] >= a.MaxPerUser:
		a.mu.Unlock()
		refuse(w, http.StatusTooManyRequests, "max_per_key")
		return
	case full(a.mu.inside.WS, a.MaxUsers, proven):
		a.mu.Unlock()
		refuse(w, http.StatusServiceUnavailable, "max_children")
		return
	}
	in := &a.mu.inside
	a.mu.perUser[name]++
	in.WS++
	in.WSPeak = max(in.WSPeak, in.WS)
	in.UserChildren, in.UserChildrenPeak = in.WS, in.WSPeak
	in.PerUserPeak = max(in.PerUserPeak, a.mu.perUser[name])
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.mu.perUser[name]--
		a.mu.inside.WS--
		a.mu.inside.UserChildren--
	}()

	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	for n := 1; ; n++ {
		kind, text, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		if a.Stall != nil {
			<-a.Stall
		}
		if a.Garble {
			text = []byte("something else")
		}
		if conn.Write(r.Context(), kind, text) != nil {
			return
		}
		if n == a.CloseAfter {
			conn.Close(websocket.StatusGoingAway, "")
			return
		}
	}
}

func (a *App) postJob(w http.ResponseWriter, r *http.Request) {
	var job api.Job
	if err := json.NewDecoder(r.Body).Decode(&job); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	running := a.unfinishedLocked()
	takes := a.JobTakes
	switch job.Kind {
	case "sleep":
		takes = time.Duration(job.Millis) * time.Millisecond
	case "hang":
		takes = time.Hour
	}
	if _, proven := caller(r); full(running, a.MaxJobs, proven) {
		refuse(w, http.StatusServiceUnavailable, "queue_full")
		return
	}
	a.mu.inside.JobsPeak = max(a.mu.inside.JobsPeak, running+1)
	id := strconv.Itoa(len(a.mu.jobs))
	if job.Kind == "hang" {
		a.mu.hung = append(a.mu.hung, id)
	}
	a.mu.jobs[id] = now.Add(takes)
	answer(w, http.StatusAccepted, map[string]string{"id": id})
}

// Hung returns the ids of the jobs that will not stop.
func (a *App) Hung() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.mu.hung...)
}

func (a *App) unfinishedLocked() int {
	n, now := 0, time.Now()
	for _, done := range a.mu.jobs {
		if now.Before(done) {
			n++
		}
	}
	return n
}

func (a *App) job(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	done, ok := a.mu.jobs[r.PathValue("id")]
	a.mu.Unlock()
	switch {
	case !ok:
		answer(w, http.StatusNotFound, map[string]string{"error": "no such job"})
	case time.Now().Before(done):
		answer(w, http.StatusOK, map[string]string{"state": "running"})
	default:
		answer(w, http.StatusOK, map[string]string{"state": "done"})
	}
}

func (a *App) post(w http.ResponseWriter, r *http.Request) {
	var m struct{ To, Text string }
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	a.mu.Lock()
	a.mu.messages[m.To] = append(a.mu.messages[m.To], m.Text)
	a.mu.Unlock()
	answer(w, http.StatusAccepted, struct{}{})
}

// poll does not wait: the tests write before they read.
func (a *App) poll(w http.ResponseWriter, r *http.Request) {
	name, _ := caller(r)
	a.mu.Lock()
	got := a.mu.messages[name]
	delete(a.mu.messages, name)
	a.mu.Unlock()
	answer(w, http.StatusOK, map[string]any{"messages": got})
}
