package target

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// User returns who a request says it is from, by its token, and whether that user is a proven one. Without a token it
// returns "". It costs next to nothing and can be what a target counts by.
func User(r *http.Request) (user string, proven bool) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return "", false
	}
	return token, strings.HasPrefix(token, Proven)
}

// Proven is what the tokens of honest users begin with. Attackers do not use it: to steal a proven identity is another
// attack than those that are played here.
const Proven = "honest-"

// Body is what GET /hello answers to n.
func Body(n string) string { return "hello " + n + "\n" }

const (
	holdFor   = 30 * time.Second // of GET /hold
	bigSize   = 8 << 20          // of GET /big
	workSize  = 64 << 10         // hashed by GET /work
	eventGap  = 200 * time.Millisecond
	eventLine = "data: still here\n\n"
)

// Handler is the service that every target offers. It is written as such handlers often are: without a limit.
func Handler(c *Counts) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, Body(r.FormValue("n"))) // nobody to tell that the client has gone
	})
	mux.HandleFunc("GET /work", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%x\n", sha256.Sum256(make([]byte, workSize)))
	})
	mux.HandleFunc("GET /hold", func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(holdFor):
		}
	})
	mux.HandleFunc("GET /big", func(w http.ResponseWriter, r *http.Request) {
		piece := make([]byte, 32<<10)
		for range bigSize / len(piece) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("POST /upload", func(w http.ResponseWriter, r *http.Request) {
		if user, _ := User(r); user == "" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "cannot read the body", http.StatusBadRequest)
			return
		}
		fmt.Fprintln(w, len(body))
	})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) { panic("as asked for") })
	mux.HandleFunc("GET /events", events)
	mux.HandleFunc("GET /ws", echo)
	return c.count(mux)
}

// events sends an event now and then for as long as the client stays.
func events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	tick := time.NewTicker(eventGap)
	defer tick.Stop()
	for {
		if _, err := io.WriteString(w, eventLine); err != nil || rc.Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// echo sends each message back. Messages above 32 KiB end the websocket, which is the package's default.
func echo(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	defer ws.CloseNow()
	for {
		kind, text, err := ws.Read(r.Context())
		if err != nil {
			return
		}
		if err := ws.Write(r.Context(), kind, text); err != nil {
			return
		}
	}
}

// Counts counts the requests that are in their handlers. It counts there and not at the door, so that it says what a
// target lets in, whatever that target says of itself.
type Counts struct {
	mu        sync.Mutex
	now, peak int
	entered   int
	from      map[string]int // requests in handlers by the address of the peer, while there is one
	peakFrom  int
}

func (c *Counts) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			host = r.RemoteAddr
		}
		c.enter(host)
		defer c.leave(host)
		next.ServeHTTP(w, r)
	})
}

func (c *Counts) enter(host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now++
	c.entered++
	c.peak = max(c.peak, c.now)
	if c.from == nil {
		c.from = make(map[string]int)
	}
	c.from[host]++
	c.peakFrom = max(c.peakFrom, c.from[host])
}

func (c *Counts) leave(host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now--
	if c.from[host]--; c.from[host] == 0 {
		delete(c.from, host)
	}
}

// begin forgets the peaks.
func (c *Counts) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peak, c.peakFrom = c.now, 0
	for _, n := range c.from {
		c.peakFrom = max(c.peakFrom, n)
	}
}

// Now returns the counts; what is not about handlers is zero.
func (c *Counts) Now() Inside {
	var s Inside
	c.fill(&s)
	return s
}

func (c *Counts) fill(s *Inside) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Handlers, s.PeakHandlers, s.Entered, s.PeakPerAddress = c.now, c.peak, c.entered, c.peakFrom
}
