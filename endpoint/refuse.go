package endpoint

import (
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A refusal is an answer in place of the handler's.
type refusal struct {
	status int
	reason string
	after  time.Duration // when to come again; zero leaves it open
}

// reasonHeader tells programs why a request was refused.
const reasonHeader = "Headcount-Reason"

// linger is how long a client that was refused, or whose handler did not read all, may go on sending before it is cut
// off. It is not zero, so that one that sends its body first gets to read the answer.
const linger = 50 * time.Millisecond

// Values of headers that no refusal has to make anew.
var (
	plainText = []string{"text/plain; charset=utf-8"}
	noStore   = []string{"no-store"}
	closes    = []string{"close"}
)

// turnDown answers a refusal. It is final: net/http would read up to 256 KiB of the body that nobody wants before it
// answers, and again afterwards, at the pace of the client; see [finishBody].
func (l *limiter) turnDown(w http.ResponseWriter, r *http.Request, no refusal) {
	h := w.Header()
	leaves := h.Get("Connection") == "close" // it has had its requests
	clear(h)
	h[reasonHeader] = []string{no.reason}
	h["Content-Type"], h["Cache-Control"] = plainText, noStore
	if no.after > 0 {
		h["Retry-After"] = []string{seconds(no.after)}
	}
	if leaves {
		h["Connection"] = closes
	}
	if r.ProtoMajor == 1 && hasBody(r) {
		h["Connection"] = closes
		finishBody(http.NewResponseController(w))
	}
	w.WriteHeader(no.status)
	_, _ = io.WriteString(w, no.reason+"\n")
}

func hasBody(r *http.Request) bool { return r.ContentLength != 0 && r.Body != http.NoBody }

// finishBody bounds how long net/http waits for what is left of an HTTP/1 body.
func finishBody(rc *http.ResponseController) { _ = rc.SetReadDeadline(time.Now().Add(linger)) }

// seconds is d as Retry-After has it, spread by up to a half, so that they do not all come back at once.
func seconds(d time.Duration) string {
	s := min(math.Ceil(d.Seconds()), maxRetryAfter.Seconds())
	return strconv.Itoa(int(s) + rand.IntN(int(s/2)+2))
}

// retryAfter says when a slot will be free, from how fast they have come free lately.
type retryAfter struct {
	active *activity
	left   atomic.Uint64 // requests that have ended
	rate   atomic.Uint64 // of them per second, as a float64

	mu   sync.Mutex // held by whoever measures
	at   time.Time
	last uint64
}

const (
	maxRetryAfter = 30 * time.Second
	measureEvery  = time.Second
)

func newRetryAfter(active *activity) *retryAfter { return &retryAfter{active: active, at: time.Now()} }

// ended counts a request that has left its slot.
func (a *retryAfter) ended() { a.left.Add(1) }

// after is when one of held slots will be free; zero for any slot of all. With n slots held and r of them freed per
// second, a slot is held for n/r seconds on the average (Little's law), and the first of some is free after a share of
// that.
func (a *retryAfter) after(held int) time.Duration {
	a.measure()
	rate := math.Float64frombits(a.rate.Load())
	if rate <= 0 {
		return maxRetryAfter / 3 // nothing has come free lately
	}
	seconds := 1 / rate
	if held > 0 {
		seconds *= float64(max(a.active.all(), held)) / float64(held)
	}
	return min(max(time.Duration(seconds*float64(time.Second)), time.Second), maxRetryAfter)
}

// measure takes the rate anew when it is old. Who finds another measuring goes on with what there is.
func (a *retryAfter) measure() {
	if !a.mu.TryLock() {
		return
	}
	defer a.mu.Unlock()
	now := time.Now()
	since := now.Sub(a.at)
	if since < measureEvery {
		return
	}
	n := a.left.Load()
	a.rate.Store(math.Float64bits(float64(n-a.last) / since.Seconds()))
	a.at, a.last = now, n
}
