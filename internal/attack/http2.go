package attack

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// h2conn speaks HTTP/2 frame by frame, so that it can say what no client would. One goroutine writes; another reads what
// the target says.
type h2conn struct {
	net.Conn
	c *campaign

	out    *bufio.Writer
	frames *http2.Framer
	block  bytes.Buffer
	hpack  *hpack.Encoder
	next   uint32 // id of the next stream

	streams uint32 // that the target allows at once; set before ready is closed
	ready   chan struct{}
}

var errNotReady = errors.New("the target did not send its settings")

// openHTTP2 opens a connection and has the settings of the target when it returns.
func (c *campaign) openHTTP2(from netip.Addr) (*h2conn, error) {
	raw, err := c.dial(from)
	if err != nil {
		return nil, err
	}
	secure, err := c.handshake(raw, "h2")
	if err != nil {
		return nil, err
	}
	h := &h2conn{Conn: secure, c: c, next: 1, streams: 100, ready: make(chan struct{})}
	h.out = bufio.NewWriterSize(secure, 8192)
	h.frames = http2.NewFramer(h.out, secure)
	h.frames.AllowIllegalWrites = true
	h.hpack = hpack.NewEncoder(&h.block)
	_, _ = h.out.WriteString(http2.ClientPreface) // the writer keeps its error until the next Flush
	_ = h.frames.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	_ = h.frames.WriteSettingsAck()
	if err := h.out.Flush(); err != nil {
		h.Close()
		return nil, err
	}
	lost := make(chan struct{})
	c.workers.Go(func() {
		defer h.Close()
		defer close(lost)
		h.listen()
	})
	select {
	case <-h.ready:
		return h, nil
	case <-lost:
		return nil, errNotReady
	}
}

// listen reads frames until the connection is gone.
func (h *h2conn) listen() {
	var first sync.Once
	for {
		f, err := h.frames.ReadFrame()
		if err != nil && !errors.As(err, new(http2.StreamError)) {
			return
		}
		switch f := f.(type) {
		case *http2.SettingsFrame:
			if n, ok := f.Value(http2.SettingMaxConcurrentStreams); ok {
				first.Do(func() { h.streams = n })
			}
			first.Do(func() {})
			select {
			case <-h.ready:
			default:
				close(h.ready)
			}
		case *http2.HeadersFrame:
			h.c.tally.accepted.Add(1) // whatever its status, a handler has answered
		case *http2.RSTStreamFrame:
			h.c.tally.reset.Add(1)
		case *http2.GoAwayFrame:
			h.c.tally.reset.Add(1)
			return
		}
	}
}

// request begins a stream and returns its id. What is written waits for Flush or for a full buffer.
func (h *h2conn) request(method, path, token string, endStream bool) (uint32, error) {
	h.block.Reset()
	for _, f := range []hpack.HeaderField{
		{Name: ":method", Value: method},
		{Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: host},
		{Name: ":path", Value: path},
		{Name: "authorization", Value: "Bearer " + token, Sensitive: true},
	} {
		_ = h.hpack.WriteField(f) // a bytes.Buffer takes everything
	}
	id := h.next
	h.next += 2
	h.c.tally.sent.Add(1)
	return id, h.frames.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: h.block.Bytes(), EndStream: endStream, EndHeaders: true,
	})
}
