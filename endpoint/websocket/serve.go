package websocket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"

	coder "github.com/coder/websocket"
	"github.com/headcount-go/headcount"
)

// Serve makes a websocket of a request and runs fn with it, on the caller's goroutine. It returns when fn has returned,
// the goroutine beside it has ended, and the connection is closed; the last takes at most CloseWithin after fn.
//
// The context of r decides how long it lasts. If it is that of a headcount child, the goroutine belongs to that child and
// counts under the limits above it. When the context ends, the peer is told StatusGoingAway; fn sees that in its own
// context, and in Read. The context of fn ends with the connection, whatever ends that.
//
// The connection is closed with StatusNormalClosure when fn returns nil, with StatusInternalError when it fails; a panic
// goes on to the caller when the connection is closed. A wrong Config is answered by 500, a wrong request by what it
// asks for, a refusal by the limits above the child by 503; such an error matches [ErrUpgrade].
//
// Serve returns fn's error. If that is a [ClosedError], nil, or the context's end, then it returns the ClosedError for
// a peer that broke a bound, and nil for ordinary ends: fn returned, the peer left, the context ended.
func Serve(w http.ResponseWriter, r *http.Request, cfg Config, fn func(ctx context.Context, c *Conn) error) error {
	c, err := prepare(w, r, &cfg, fn != nil)
	if err != nil {
		return err
	}
	defer c.cancel(ErrClosed)
	defer c.beside.wait()
	if err := c.upgrade(w, r); err != nil {
		return err
	}
	close(c.beside.upgraded)
	return c.result(c.run(r.Context(), fn))
}

// prepare does what can still be refused in HTTP. It is not a part of Serve because its frame would be on the stack as
// long as the connection lasts, and make that twice as large.
func prepare(w http.ResponseWriter, r *http.Request, cfg *Config, served bool) (*Conn, error) {
	err := cfg.Check()
	if err == nil && !served {
		err = &headcount.ConfigError{Path: "websocket", Field: "Serve.fn", Value: nil, Problem: "is nil"}
	}
	if err != nil {
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return nil, fmt.Errorf("%w: %w", ErrUpgrade, err)
	}
	c := newConn(r.Context(), cfg.withDefaults())
	// Before the upgrade, because the child's limits may refuse it.
	if err := c.beside.start(r.Context(), c); err != nil {
		c.cancel(ErrClosed)
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return nil, fmt.Errorf("%w: %w", ErrUpgrade, err)
	}
	return c, nil
}

// beside is the goroutine beside the handler. It begins when upgraded is closed, or never if forgone is.
type beside struct {
	upgraded, forgone, ended chan struct{}
}

func (b *beside) start(ctx context.Context, c *Conn) error {
	life := func(context.Context) error {
		defer close(b.ended)
		select {
		case <-b.upgraded:
			c.write()
		case <-b.forgone:
		}
		return nil
	}
	err := headcount.Go(ctx, life)
	if errors.Is(err, headcount.ErrNoChild) {
		c.cfg.ChargeQueue = false
		go func() { _ = life(ctx) }()
		return nil
	}
	return err
}

func (b *beside) wait() {
	select {
	case <-b.upgraded:
	default:
		close(b.forgone)
	}
	<-b.ended
}

// run runs fn, and ends the connection if nothing else has.
func (c *Conn) run(ctx context.Context, fn func(ctx context.Context, c *Conn) error) error {
	gone := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(gone)
		c.end(&ClosedError{Reason: ReasonGoingAway})
	})
	code := StatusInternalError // what stays if fn panics
	defer func() {
		if !stop() {
			<-gone
		}
		if ctx.Err() != nil {
			c.end(&ClosedError{Reason: ReasonGoingAway}) // fn may have seen it before we were told
		}
		c.Close(code, "")
	}()
	err := fn(c.ctx, c)
	if errors.Is(err, ErrClosed) || c.ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil // it only repeats what c knows
	}
	if err == nil {
		code = StatusNormalClosure
	}
	return err
}

// result is what Serve returns when fn has returned err. Ends that are nobody's fault are no errors: a peer goes as it
// likes, and a stop is ordered.
func (c *Conn) result(err error) error {
	if err != nil {
		return err
	}
	c.mu.Lock()
	e := c.reason
	c.mu.Unlock()
	switch e.Reason {
	case ReasonPeerClosed, ReasonGoingAway, ReasonClosed:
		return nil
	}
	return e
}

// upgrade answers the request. Afterwards c has its wire and its protocol, or an error.
func (c *Conn) upgrade(w http.ResponseWriter, r *http.Request) error {
	if canHijack(w) {
		w = &hijacked{w, c}
	}
	mode := coder.CompressionDisabled
	if c.cfg.Compression {
		mode = coder.CompressionNoContextTakeover
	}
	ws, err := coder.Accept(w, r, &coder.AcceptOptions{
		Subprotocols:    c.cfg.Subprotocols,
		OriginPatterns:  c.cfg.OriginPatterns,
		CompressionMode: mode,
	})
	if err != nil {
		return fmt.Errorf("%w: %.200s", ErrUpgrade, err.Error()) // it repeats headers, which may be long
	}
	ws.SetReadLimit(int64(c.cfg.MaxMessage))
	c.ws = ws
	return nil
}

// hijacked gives the library a wire for the socket.
type hijacked struct {
	http.ResponseWriter
	c *Conn
}

func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	// A peer may have sent frames behind its request. They are counted like any others.
	early := make([]byte, rw.Reader.Buffered())
	_, _ = rw.Reader.Read(early)
	h.c.wire = newWire(conn, early, h.c)
	rw.Reader.Reset(h.c.wire)
	rw.Writer.Reset(h.c.wire)
	return h.c.wire, rw, nil
}

// canHijack is asked first: the library writes its answer before it takes the socket, and HTTP/2 has none to take.
func canHijack(w http.ResponseWriter) bool {
	for {
		switch x := w.(type) {
		case http.Hijacker:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = x.Unwrap()
		default:
			return false
		}
	}
}
