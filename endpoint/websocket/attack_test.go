package websocket

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	coder "github.com/coder/websocket"
)

// site is a server on loopback, whose Serves report how they ended.
type site struct {
	*httptest.Server
	t       *testing.T
	results chan error
}

func newSite(t *testing.T, cfg Config, fn func(context.Context, *Conn) error) *site {
	t.Helper()
	s := &site{t: t, results: make(chan error, 100)}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.results <- Serve(w, r, cfg, fn)
	}))
	t.Cleanup(s.Server.Close)
	return s
}

// patience bounds what a test waits for. Nothing waits for it to pass.
const patience = 30 * time.Second

// attack opens a websocket by hand. What more is sent with the request comes before the answer.
func (s *site) attack(header string, more ...frame) *peer {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	request := "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n" + header + "\r\n"
	for _, f := range more {
		request += string(encode(f))
	}
	io.WriteString(conn, request)
	r := bufio.NewReader(conn)
	answer, err := http.ReadResponse(r, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("upgrade: %s", answer.Status)
	}
	return &peer{s.t, conn, r}
}

// dial opens a websocket as an honest client does.
func (s *site) dial(options *coder.DialOptions) *coder.Conn {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	ws, _, err := coder.Dial(ctx, s.URL, options)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { ws.CloseNow() })
	return ws
}

// honest echoes until stopped, and fails the test if it cannot.
func (s *site) honest() (stop func()) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	ws := s.dial(nil)
	done := make(chan struct{})
	var halt atomic.Bool
	go func() {
		defer close(done)
		defer cancel()
		defer ws.Close(coder.StatusNormalClosure, "")
		for i := 0; !halt.Load(); i++ {
			want := fmt.Sprint(i)
			if err := ws.Write(ctx, coder.MessageText, []byte(want)); err != nil {
				s.t.Errorf("an honest peer could not send %d: %v", i, err)
				return
			}
			if _, got, err := ws.Read(ctx); err != nil || string(got) != want {
				s.t.Errorf("an honest peer got %q for %d: %v", got, i, err)
				return
			}
			time.Sleep(15 * time.Millisecond) // some 60 a second
		}
	}()
	return func() {
		s.t.Helper()
		halt.Store(true)
		<-done
		checkReason(s.t, <-s.results, "")
	}
}

// TestAttacksAreCutOffBesideHonestPeers has each attacker go on until its socket fails, beside an honest peer.
func TestAttacksAreCutOffBesideHonestPeers(t *testing.T) {
	forever := func(fs ...frame) func(p *peer) {
		return func(p *peer) {
			b := []byte{}
			for _, f := range fs {
				b = append(b, encode(f)...)
			}
			b = bytes.Repeat(b, 1+1000/len(b))
			for {
				if _, err := p.conn.Write(b); err != nil {
					return
				}
			}
		}
	}
	deflate := "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n"
	emptyBlocks := bytes.Repeat([]byte{0x00, 0x00, 0x00, 0xff, 0xff}, 200_000) // stored blocks of no bytes: 1 MB for nothing
	for _, tt := range []struct {
		name   string
		header string
		attack func(p *peer)
		reason Reason
		code   StatusCode
	}{
		{"messages", "", forever(text("x")), ReasonMessageRate, StatusPolicyViolation},
		{"empty messages", "", forever(text("")), ReasonMessageRate, StatusPolicyViolation},
		{"pings", "", forever(frame{final | opPing, []byte("are you there")}), ReasonFrameRate, StatusPolicyViolation},
		{"pongs that nobody asked for", "", forever(frame{final | opPong, nil}), ReasonFrameRate, StatusPolicyViolation},
		{"empty fragments", "", func(p *peer) { p.send(frame{opText, nil}); forever(frame{opContinuation, nil})(p) }, ReasonFrameRate, StatusPolicyViolation},
		{"message one byte too big", "", func(p *peer) { p.send(frame{final | opText, make([]byte, 32<<10+1)}) }, ReasonMessageTooBig, StatusMessageTooBig},
		{"fragments too big together", "", func(p *peer) {
			p.send(frame{opText, make([]byte, 20<<10)}, frame{final | opPing, nil}, frame{final | opContinuation, make([]byte, 20<<10)})
		}, ReasonMessageTooBig, StatusMessageTooBig},
		{"only the header of a message too big", "", func(p *peer) { p.conn.Write(encodeHeader(final|opText, 1<<62)) }, ReasonMessageTooBig, StatusMessageTooBig},
		{"length above all sums", "", func(p *peer) {
			p.conn.Write(append(encode(frame{opText, []byte("x")}), encodeHeader(opContinuation, 1<<63-1)...))
		}, ReasonMessageTooBig, StatusMessageTooBig},
		{"compression bomb", deflate, func(p *peer) {
			p.send(frame{final | compressed | opText, bomb(8 << 20)})
		}, ReasonMessageTooBig, StatusMessageTooBig},
		{"compression of nothing", deflate, func(p *peer) {
			p.send(frame{final | compressed | opText, emptyBlocks})
		}, ReasonMessageTooBig, StatusMessageTooBig},
		{"reserved opcode", "", func(p *peer) { p.send(frame{final | 0x5, nil}) }, ReasonProtocol, StatusProtocolError},
		{"compressed without consent", "", func(p *peer) { p.send(frame{final | compressed | opText, nil}) }, ReasonProtocol, StatusProtocolError},
		{"without a mask", "", func(p *peer) { p.conn.Write([]byte{final | opText, 1, 'x'}) }, ReasonProtocol, StatusProtocolError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t, Config{Compression: tt.header != "", CloseWithin: 200 * time.Millisecond}, echo)
			stop := s.honest()
			p := s.attack(tt.header)
			done := make(chan struct{})
			go func() { defer close(done); tt.attack(p) }()
			if code := p.farewell(); code != tt.code {
				t.Errorf("farewell %d, want %d", code, tt.code)
			}
			checkReason(t, <-s.results, tt.reason)
			p.conn.Close()
			<-done
			stop()
		})
	}
}

// bomb is size zeros, deflated without the tail that the receiver adds.
func bomb(size int) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	w.Write(make([]byte, size))
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

func TestNoMoreThanTheBurstIsDelivered(t *testing.T) {
	var delivered atomic.Int64
	s := newSite(t, Config{MessageRate: 0.001, MessageBurst: 7, FrameBurst: 1000}, func(ctx context.Context, c *Conn) error {
		for {
			if _, _, err := c.Read(); err != nil {
				return err
			}
			delivered.Add(1)
		}
	})
	var early []frame
	for range 100 {
		early = append(early, text("x"))
	}
	p := s.attack("", early...) // with the request: what the server has buffered counts too
	if code := p.farewell(); code != StatusPolicyViolation {
		t.Errorf("farewell %d", code)
	}
	checkReason(t, <-s.results, ReasonMessageRate)
	if n := delivered.Load(); n != 7 {
		t.Errorf("%d messages were delivered, want the burst of 7", n)
	}
}

func TestFramesWithTheRequestAreCounted(t *testing.T) {
	s := newSite(t, Config{MessageRate: 0.001, MessageBurst: 7, FrameRate: 0.001, FrameBurst: 7}, echo)
	var early []frame
	for range 8 {
		early = append(early, frame{final | opPing, nil})
	}
	if code := s.attack("", early...).farewell(); code != StatusPolicyViolation {
		t.Errorf("farewell %d", code)
	}
	checkReason(t, <-s.results, ReasonFrameRate)
}

func TestMessagesOfExactlyTheLimitPass(t *testing.T) {
	for name, compress := range map[string]bool{"plain": false, "compressed": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, Config{MaxMessage: 100_000, Compression: compress}, echo)
			mode := coder.CompressionDisabled
			if compress {
				mode = coder.CompressionNoContextTakeover
			}
			ws := s.dial(&coder.DialOptions{CompressionMode: mode})
			ws.SetReadLimit(1 << 20)
			want := strings.Repeat("0123456789", 10_000)
			for range 3 {
				if err := ws.Write(t.Context(), coder.MessageText, []byte(want)); err != nil {
					t.Fatal(err)
				}
				if _, got, err := ws.Read(t.Context()); err != nil || string(got) != want {
					t.Fatalf("got %d bytes, %v", len(got), err)
				}
			}
			ws.Close(coder.StatusNormalClosure, "")
			checkReason(t, <-s.results, "")
		})
	}
}

func TestReaderThatNeverReadsIsCut(t *testing.T) {
	s := newSite(t, Config{WriteWithin: 100 * time.Millisecond, CloseWithin: 50 * time.Millisecond}, func(ctx context.Context, c *Conn) error {
		for {
			if err := c.SendWait(ctx, MessageText, make([]byte, 200_000)); err != nil {
				return err
			}
		}
	})
	p := s.attack("")
	checkReason(t, <-s.results, ReasonWriteStall)
	// An orderly end would mean that the kernel still keeps what nobody reads.
	if n, err := io.Copy(io.Discard, p.conn); err == nil {
		t.Errorf("%d bytes and an orderly end, want a reset", n)
	}
}

func TestHalfOpenPeerIsCut(t *testing.T) {
	s := newSite(t, Config{PingEvery: 20 * time.Millisecond, PongWithin: 50 * time.Millisecond, CloseWithin: 50 * time.Millisecond}, echo)
	stop := s.honest()
	p := s.attack("")
	checkReason(t, <-s.results, ReasonNoPong)
	p.mustReceive(final | opPing)
	p.mustReceive(final | opClose)
	stop()
}

func TestPeerThatIsGoneIsNoFailure(t *testing.T) {
	s := newSite(t, Config{}, echo)
	p := s.attack("")
	p.conn.(*net.TCPConn).SetLinger(0) // a reset
	p.conn.Close()
	checkReason(t, <-s.results, "")
	s.attack("").conn.Close()
	checkReason(t, <-s.results, "")
}

func TestUpgradeIsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		header map[string]string
		cfg    Config
		status int
	}{
		"no websocket":   {nil, Config{}, http.StatusUpgradeRequired},
		"foreign origin": {map[string]string{"Origin": "https://evil.example"}, Config{}, http.StatusForbidden},
		"long header":    {map[string]string{"Sec-WebSocket-Version": strings.Repeat("v", 100_000)}, Config{}, http.StatusBadRequest},
		"config":         {nil, Config{MaxMessage: -1}, http.StatusInternalServerError},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, tt.cfg, echo)
			r, _ := http.NewRequest(http.MethodGet, s.URL, nil)
			if tt.header != nil {
				r.Header = upgradeRequest().Header
			}
			for k, v := range tt.header {
				r.Header.Set(k, v)
			}
			answer, err := s.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != tt.status {
				t.Errorf("status %d, want %d", answer.StatusCode, tt.status)
			}
			if err := <-s.results; !errors.Is(err, ErrUpgrade) || len(err.Error()) > 300 {
				t.Errorf("Serve returned %v, want ErrUpgrade, and not at length", err)
			}
		})
	}
}

func TestHTTP2IsRefused(t *testing.T) {
	w := httptest.NewRecorder() // cannot give away its socket, as HTTP/2 cannot
	err := Serve(w, upgradeRequest(), Config{}, echo)
	if !errors.Is(err, ErrUpgrade) || w.Code != http.StatusNotImplemented {
		t.Errorf("Serve returned %v and answered %d", err, w.Code)
	}
}

func TestTLSPeerIsToldOfAStop(t *testing.T) {
	results := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Who misses the answer waits for an hour.
		results <- Serve(w, r.WithContext(ctx), Config{CloseWithin: time.Hour}, echo)
	}))
	defer s.Close()
	ws, _, err := coder.Dial(t.Context(), s.URL, &coder.DialOptions{HTTPClient: s.Client()})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	stop()
	if _, _, err := ws.Read(t.Context()); coder.CloseStatus(err) != coder.StatusGoingAway {
		t.Errorf("the peer was told %v", err)
	}
	checkReason(t, <-results, "")
}

func TestTLSPeerIsServedAndCut(t *testing.T) {
	results := make(chan error, 2)
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		results <- Serve(w, r, Config{WriteWithin: 100 * time.Millisecond, CloseWithin: 50 * time.Millisecond}, func(ctx context.Context, c *Conn) error {
			for {
				_, message, err := c.Read()
				if err != nil {
					return err
				}
				for range 200 {
					if err := c.SendWait(ctx, MessageBinary, message); err != nil {
						return err
					}
				}
			}
		})
	}))
	defer s.Close()
	ws, _, err := coder.Dial(t.Context(), s.URL, &coder.DialOptions{HTTPClient: s.Client()})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	for range 100 { // it never reads
		if ws.Write(t.Context(), coder.MessageBinary, make([]byte, 30_000)) != nil {
			break
		}
	}
	checkReason(t, <-results, ReasonWriteStall)
}
