package endpoint

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// An exchange is one request and its response, between net/http and the handler: it holds the body and the response to
// their rates, and knows what has become of them. It is used by one goroutine, the handler's; what is used by others
// too, the timers and whoever reads the body, is guarded by mu. It is also the request's context, by which it is found.
type exchange struct {
	context.Context
	limit  *limiter
	w      http.ResponseWriter
	r      *http.Request
	rc     http.ResponseController
	conn   *conn // nil behind another server
	client netip.Addr
	body   *meteredBody // nil where there is none

	entered  bool // it was let in
	begun    bool // an answer has begun
	streams  bool // it has become a stream
	hijacked bool
	aborted  bool // the handler panicked with http.ErrAbortHandler

	// HTTP/2 holds writes up stream by stream, where the connection's own pace does not see it. So does another server.
	paced bool
	pace  pace
	slow  *time.Timer

	// HTTP/1 reads what is left of the body before it writes the header of the answer.
	headerDue bool // it may have to do so
	buffered  int  // of the answer, at the most

	mu      sync.Mutex
	over    bool      // the handler has returned, and w belongs to somebody else
	slowAt  time.Time // when the write under way takes too long; zero for none
	readDue time.Time // the deadline of reads that the handler has set
}

func newExchange(l *limiter, w http.ResponseWriter, r *http.Request, c *conn, client netip.Addr) *exchange {
	x := &exchange{Context: r.Context(), limit: l, w: w, r: r, rc: *http.NewResponseController(w), conn: c, client: client}
	x.paced = (r.ProtoMajor == 2 || c == nil) && !l.bytes.observing
	if x.paced {
		x.pace = l.bytes.writePace()
	}
	return x
}

type exchangeKey struct{}

func (x *exchange) Value(key any) any {
	if key == (exchangeKey{}) {
		return x
	}
	return x.Context.Value(key)
}

// run is the child.
func (x *exchange) run(ctx context.Context) (err error) {
	l := x.limit
	x.entered = true
	l.active.enter()
	defer func() {
		if v := recover(); v == http.ErrAbortHandler {
			x.aborted = true
		} else if v != nil {
			defer panic(v) // it is the child's, once the rest is in order
		}
		x.finish()
		l.active.leave(x.streams)
		l.retry.ended()
	}()
	if d := l.cfg.timeouts.Response; d != NoTimeout && !l.bytes.observing {
		_ = x.rc.SetWriteDeadline(time.Now().Add(d))
	}
	r := x.r.WithContext(ctx)
	if hasBody(r) {
		x.headerDue = r.ProtoMajor == 1 && !l.bytes.observing
		x.body = &meteredBody{ReadCloser: r.Body, x: x, pace: l.bytes.readPace(), left: l.cfg.timeouts.Body}
		if !l.bytes.observing {
			x.body.ReadCloser = http.MaxBytesReader(x.w, r.Body, l.cfg.sizes.Body)
		}
		r.Body = x.body
	}
	if r.ProtoMajor == 2 {
		l.next.ServeHTTP(http2Writer{x}, r)
	} else {
		l.next.ServeHTTP(http1Writer{x}, r)
	}
	return nil
}

// finish leaves nothing for net/http to wait for without a bound, and nobody to use what is net/http's again.
func (x *exchange) finish() {
	x.mu.Lock()
	x.over = true
	if x.slow != nil {
		x.slow.Stop()
	}
	unread := x.body != nil && !x.body.ended
	if x.body != nil && x.body.timer != nil {
		x.body.timer.Stop()
	}
	x.mu.Unlock()
	if x.hijacked || x.limit.bytes.observing {
		return
	}
	if x.r.ProtoMajor == 1 && unread {
		finishBody(&x.rc)
	}
	if x.paced && x.begun {
		if d := x.pace.allowed(finalWrite); d != NoTimeout {
			_ = x.rc.SetWriteDeadline(time.Now().Add(d))
		}
	}
}

// finalWrite is about what net/http may hold back until the handler has returned.
const finalWrite = 4096

// beginAnswer notes that the answer begins, and whether it is a stream.
func (x *exchange) beginAnswer() {
	if x.begun {
		return
	}
	x.begun = true
	if strings.HasPrefix(x.w.Header().Get("Content-Type"), "text/event-stream") {
		x.toStream()
	}
}

func (x *exchange) toStream() {
	if !x.streams {
		x.streams = true
		x.limit.active.toStream()
	}
}

// Streams says that the request which ctx belongs to lasts as long as its client likes, as a long poll does. When the
// endpoint stops, it is not waited for like a request but has its context ended, as websockets and server-sent events
// have, which are known by themselves. It must be called on the handler's goroutine.
func Streams(ctx context.Context) {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		x.toStream()
	}
}

func (x *exchange) Header() http.Header { return x.w.Header() }

func (x *exchange) WriteHeader(code int) {
	if code >= 200 {
		x.beginAnswer()
	}
	x.w.WriteHeader(code)
}

func (x *exchange) Write(p []byte) (int, error) { return writePieces(x, p, x.w.Write) }

func (x *exchange) WriteString(s string) (int, error) {
	return writePieces(x, s, func(s string) (int, error) { return io.WriteString(x.w, s) })
}

// writePieces writes piece by piece what has a pace here, and else in one go.
func writePieces[T []byte | string](x *exchange, p T, write func(T) (int, error)) (total int, err error) {
	x.beginAnswer()
	for {
		piece := p
		if x.paced {
			piece = p[:min(len(p), pieces)]
		}
		began := x.beginWrite(len(piece))
		armed := x.beginHeader(len(piece))
		n, err := write(piece)
		x.endHeader(armed)
		x.endWrite(n, began)
		total += n
		if err != nil || n >= len(p) {
			return total, err
		}
		p = p[n:]
	}
}

func (x *exchange) Flush() { _ = x.FlushError() }

func (x *exchange) FlushError() error {
	x.beginAnswer()
	began := x.beginWrite(finalWrite)
	armed := x.beginHeader(headerBuffer + 1)
	err := x.rc.Flush()
	x.endHeader(armed)
	x.endWrite(0, began)
	return err
}

// Unwrap gives [http.ResponseController] the way to the connection.
func (x *exchange) Unwrap() http.ResponseWriter { return x.w }

// beginWrite has the write cut off if it takes too long.
func (x *exchange) beginWrite(n int) (began time.Time) {
	if !x.paced {
		return began
	}
	began = time.Now()
	d := x.pace.allowed(n)
	if d == NoTimeout {
		return began
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.slowAt = began.Add(d)
	if x.slow == nil {
		x.slow = time.AfterFunc(d, x.cut)
	} else {
		x.slow.Reset(d)
	}
	return began
}

func (x *exchange) endWrite(n int, began time.Time) {
	if !x.paced {
		return
	}
	x.mu.Lock()
	x.slowAt = time.Time{}
	if x.slow != nil {
		x.slow.Stop()
	}
	x.mu.Unlock()
	x.pace.moved(n, time.Since(began))
}

// cut ends a write that takes too long: the stream of HTTP/2, the connection of HTTP/1. It runs beside the write, and
// may come when that has just ended, or the next one begun.
func (x *exchange) cut() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.over || x.slowAt.IsZero() || time.Now().Before(x.slowAt) {
		return
	}
	x.slowAt = time.Time{}
	_ = x.limit.bytes.slowResponse.Refuse()
	_ = x.rc.SetWriteDeadline(time.Unix(1, 0))
}

// headerBuffer is how much of an answer net/http holds back before it writes the header.
const headerBuffer = 2048

// beginHeader bounds a write by which net/http may write the header of an HTTP/1 answer: first it reads up to 256 KiB of
// what is left of the body, at the pace of the client.
func (x *exchange) beginHeader(n int) (armed bool) {
	if !x.headerDue {
		return false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.buffered += n; x.buffered > headerBuffer {
		x.headerDue = false
	}
	d := min(x.body.pace.allowed(1), x.body.left)
	if d == NoTimeout || x.body.ended || x.body.reading {
		return false
	}
	_ = x.rc.SetReadDeadline(earlier(x.readDue, time.Now().Add(d)))
	return true
}

// endHeader takes that bound away.
func (x *exchange) endHeader(armed bool) {
	if armed {
		x.mu.Lock()
		defer x.mu.Unlock()
		_ = x.rc.SetReadDeadline(x.readDue)
	}
}

// SetReadDeadline is what [http.ResponseController] calls. The body has deadlines of its own; the earlier one counts.
func (x *exchange) SetReadDeadline(t time.Time) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.readDue = t
	return x.rc.SetReadDeadline(t)
}

// http1Writer and http2Writer are an exchange with what else their protocols can do.
type http1Writer struct{ *exchange }

// ReadFrom keeps the way by which a file goes to the socket without passing through the process.
func (x http1Writer) ReadFrom(r io.Reader) (int64, error) {
	rf, ok := x.w.(io.ReaderFrom)
	if !ok || x.paced {
		return io.Copy(writeOnly{x.exchange}, r)
	}
	x.beginAnswer()
	defer x.endHeader(x.beginHeader(headerBuffer + 1))
	return rf.ReadFrom(r)
}

// Hijack gives the connection to the handler. Its slot ends when the handler has closed it and has returned.
func (x http1Writer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := x.rc.Hijack()
	if err == nil {
		x.hijacked, x.begun = true, true
		x.toStream()
	}
	return c, rw, err
}

type http2Writer struct{ *exchange }

// Push is what net/http offers for HTTP/2.
func (x http2Writer) Push(target string, opts *http.PushOptions) error {
	if p, ok := x.w.(http.Pusher); ok {
		return p.Push(target, opts)
	}
	return http.ErrNotSupported
}
