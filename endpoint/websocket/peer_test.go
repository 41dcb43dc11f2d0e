package websocket

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A peer is the other end of a connection, down to its frames: it does what no client library would.
type peer struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

type frame struct {
	opcode  byte // with the bits above it: final, compressed
	payload []byte
}

const (
	final       = 0x80
	compressed  = 0x40
	opText      = 0x1
	opPing      = 0x9
	opPong      = 0xa
	maskBit     = 0x80
	frameHeader = 14
)

// encode masks with zeros, which is allowed and changes nothing.
func encode(f frame) []byte {
	return append(encodeHeader(f.opcode, uint64(len(f.payload))), f.payload...)
}

func encodeHeader(opcode byte, length uint64) []byte {
	b := make([]byte, 0, frameHeader+int(min(length, 1<<20)))
	switch {
	case length < 126:
		b = append(b, opcode, maskBit|byte(length))
	case length < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, opcode, maskBit|126), uint16(length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, opcode, maskBit|127), length)
	}
	return append(b, 0, 0, 0, 0)
}

func text(s string) frame { return frame{final | opText, []byte(s)} }

// send returns the error of the socket: an attacker goes on until it gets one.
func (p *peer) send(fs ...frame) error {
	for _, f := range fs {
		if _, err := p.conn.Write(encode(f)); err != nil {
			return err
		}
	}
	return nil
}

func (p *peer) mustSend(fs ...frame) {
	p.t.Helper()
	if err := p.send(fs...); err != nil {
		p.t.Fatalf("send: %v", err)
	}
}

func (p *peer) receive() (frame, error) {
	var h [2]byte
	if _, err := io.ReadFull(p.r, h[:]); err != nil {
		return frame{}, err
	}
	length := uint64(h[1])
	switch length {
	case 126:
		var b [2]byte
		if _, err := io.ReadFull(p.r, b[:]); err != nil {
			return frame{}, err
		}
		length = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		if _, err := io.ReadFull(p.r, b[:]); err != nil {
			return frame{}, err
		}
		length = binary.BigEndian.Uint64(b[:])
	}
	payload := make([]byte, length)
	_, err := io.ReadFull(p.r, payload)
	return frame{h[0], payload}, err
}

func (p *peer) mustReceive(opcode byte) frame {
	p.t.Helper()
	f, err := p.receive()
	if err != nil {
		p.t.Fatalf("receive: %v", err)
	}
	if f.opcode != opcode {
		p.t.Fatalf("received opcode %#x %q, want %#x", f.opcode, f.payload, opcode)
	}
	return f
}

// farewell reads until the close frame and returns its code; zero if the connection ended without one.
func (p *peer) farewell() StatusCode {
	for {
		f, err := p.receive()
		if err != nil {
			return 0
		}
		if f.opcode == final|opClose && len(f.payload) >= 2 {
			return StatusCode(binary.BigEndian.Uint16(f.payload))
		}
	}
}

func closeFrame(code StatusCode) frame {
	return frame{final | opClose, binary.BigEndian.AppendUint16(nil, uint16(code))}
}

func echo(ctx context.Context, c *Conn) error {
	for {
		kind, message, err := c.Read()
		if err != nil {
			return err
		}
		if err := c.SendWait(ctx, kind, message); err != nil {
			return err
		}
	}
}

// session is one Serve over a pipe, which has no buffers and knows synthetic time.
type session struct {
	*peer
	stop           context.CancelFunc
	result         chan error
	began          time.Time
	sync.WaitGroup // what the peer does besides
}

func upgradeRequest() *http.Request {
	r := httptest.NewRequest(http.MethodGet, "/ws", nil)
	for k, v := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	} {
		r.Header.Set(k, v)
	}
	return r
}

// pipeWriter is a ResponseWriter whose socket is a pipe.
type pipeWriter struct {
	http.ResponseWriter
	conn net.Conn
}

func (w pipeWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return w.conn, bufio.NewReadWriter(bufio.NewReader(w.conn), bufio.NewWriter(w.conn)), nil
}

func pipeSession(t *testing.T, ctx context.Context, cfg Config, fn func(context.Context, *Conn) error) *session {
	t.Helper()
	server, p := pipePeer(t)
	ctx, stop := context.WithCancel(ctx)
	s := &session{peer: p, stop: stop, result: make(chan error, 1), began: time.Now()}
	go func() {
		s.result <- Serve(server, upgradeRequest().WithContext(ctx), cfg, fn)
	}()
	t.Cleanup(func() { stop(); p.conn.Close(); s.Wait() })
	return s
}

func pipePeer(t *testing.T) (http.ResponseWriter, *peer) {
	t.Helper()
	server, client := net.Pipe()
	t.Cleanup(func() { client.Close() })
	return pipeWriter{httptest.NewRecorder(), server}, &peer{t, client, bufio.NewReader(client)}
}

// ended waits for Serve and checks its reason, and that nothing is left of the connection then.
func (s *session) ended(want Reason) {
	s.t.Helper()
	checkReason(s.t, <-s.result, want)
	if _, err := s.conn.Write([]byte{0}); err != io.ErrClosedPipe {
		s.t.Errorf("a write after Serve has returned: %v, want %v", err, io.ErrClosedPipe)
	}
}

func checkReason(t testing.TB, err error, want Reason) {
	t.Helper()
	var closed *ClosedError
	if want == "" && err == nil {
		return
	}
	if !errors.As(err, &closed) || closed.Reason != want {
		t.Errorf("Serve returned %v, want the reason %q", err, want)
	}
}

func (s *session) after(want time.Duration) {
	s.t.Helper()
	if got := time.Since(s.began); got != want {
		s.t.Errorf("after %v, want %v", got, want)
	}
}
