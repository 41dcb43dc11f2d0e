package endpoint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
)

func TestFrameMeterCountsTheRequestsOfRealTraffic(t *testing.T) {
	addr, conns := meteredServer(t, 1000, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		w.Header().Set("Trailer", "Done")
		io.WriteString(w, strings.Repeat("x", int(n)+rand.IntN(50_000)))
		w.Header().Set("Done", "yes")
	})
	client := http2Client(t)
	const requests = 60
	get := func(i int) {
		var body io.Reader
		if i%3 == 1 {
			body = strings.NewReader(strings.Repeat("y", i*1000))
		}
		req, err := http.NewRequest("POST", "http://"+addr, body)
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Long", strings.Repeat("z", i*1000))
		if i%6 == 1 {
			req.Trailer = http.Header{"Sent": {"yes"}} // HEADERS that open no stream
		}
		res, err := client.Do(req)
		if err != nil {
			t.Error(err)
			return
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	get(0) // so that the rest share its connection
	var wg sync.WaitGroup
	for i := 1; i < requests; i++ {
		wg.Go(func() { get(i) })
	}
	wg.Wait()
	c := <-conns
	client.CloseIdleConnections()
	<-c.closed
	if len(conns) > 0 {
		t.Fatal("there is a second connection")
	}
	if c.in.off || c.out.off {
		t.Fatal("a meter turned itself off")
	}
	if c.in.streams != requests {
		t.Errorf("%d streams, made %d requests", c.in.streams, requests)
	}
	if n := c.in.frames[frameHeaders]; n <= requests {
		t.Errorf("%d HEADERS frames: no trailers among them", n)
	}
	if c.in.frames[frameContinuation] == 0 {
		t.Error("no CONTINUATION frames")
	}
	if c.out.frames[frameSettings] == 0 || c.in.frames[frameSettings] == 0 {
		t.Error("no SETTINGS frames")
	}
	if c.in.resets != 0 || c.out.forced != 0 {
		t.Errorf("%d resets, %d forced; there was no reason for any", c.in.resets, c.out.forced)
	}
	equalHoweverCut(t, fromClient, c.inRaw.Bytes(), 3000)
	equalHoweverCut(t, fromServer, c.outRaw.Bytes(), 3000)
}

// equalHoweverCut checks that the bytes give the same counts in one piece, in two pieces cut at each of the first
// places, and byte by byte.
func equalHoweverCut(t *testing.T, d meterDirection, raw []byte, places int) {
	t.Helper()
	whole := frameMeter{direction: d}
	charged := whole.pass(raw)
	for cut := range min(len(raw), places) {
		m := frameMeter{direction: d}
		if n := m.pass(raw[:cut]) + m.pass(raw[cut:]); m != whole || n != charged {
			t.Fatalf("cut at %d: %d charged, %+v; whole: %d charged, %+v", cut, n, m, charged, whole)
		}
	}
	single := frameMeter{direction: d}
	n := 0
	for i := range raw {
		n += single.pass(raw[i : i+1])
	}
	if single != whole || n != charged {
		t.Fatalf("byte by byte: %d charged, %+v; whole: %d charged, %+v", n, single, charged, whole)
	}
}

func TestFrameMeterTurnsItselfOffForHTTP1(t *testing.T) {
	addr, conns := meteredServer(t, 1000, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Repeat("x", 10_000))
	})
	tr := &http.Transport{}
	res, err := (&http.Client{Transport: tr}).Get("http://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	tr.CloseIdleConnections()
	c := <-conns
	<-c.closed
	if !c.in.off || !c.out.off {
		t.Error("a meter is still on")
	}
	if c.in.frames != [frameKinds]uint64{} || c.out.frames != [frameKinds]uint64{} {
		t.Error("frames were counted")
	}
}

func TestFrameMeterTurnsItselfOffAtEachByteThatIsNotThePreface(t *testing.T) {
	for i := range clientPreface {
		wrong := []byte(clientPreface)
		wrong[i] ^= 1
		m := frameMeter{}
		m.pass(wrong[:i])
		if m.off {
			t.Fatalf("off before byte %d, which is the wrong one", i)
		}
		if m.pass(wrong[i:]); !m.off {
			t.Fatalf("not off at byte %d", i)
		}
	}
}

// frame makes one frame.
func frame(kind, flags byte, stream uint32, payload ...byte) []byte {
	f := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	return append(binary.BigEndian.AppendUint32(f, stream), payload...)
}

func resetFrame(stream, code uint32) []byte {
	return frame(frameReset, 0, stream, binary.BigEndian.AppendUint32(nil, code)...)
}

// getRequest and postRequest open a stream; the header block needs only HPACK's static table.
func getRequest(stream uint32) []byte {
	return frame(frameHeaders, flagEndStream|flagEndHeaders, stream, 0x82, 0x86, 0x84, 0x41, 1, 'x')
}

func postRequest(stream uint32) []byte {
	return frame(frameHeaders, flagEndHeaders, stream, 0x83, 0x86, 0x84, 0x41, 1, 'x')
}

func TestFrameMeterCountsEachKindOfFrame(t *testing.T) {
	sent := bytes.Join([][]byte{
		[]byte(clientPreface),
		frame(frameSettings, 0, 0),
		frame(frameHeaders, 0, 1, 0x82),
		frame(frameContinuation, 0, 1),                             // carries nothing, ends nothing
		frame(frameContinuation, flagEndHeaders, 1),                // ends the headers
		frame(frameData, 0, 1),                                     // carries nothing, ends nothing
		frame(frameData, 0, 1, make([]byte, 70_000)...),            // all three bytes of the length
		frame(frameHeaders, flagEndStream|flagEndHeaders, 1, 0x82), // trailers
		frame(frameData, flagEndStream, 1),                         // ends the stream
		frame(frameHeaders, 0, 1<<31|3),                            // the reserved bit is no part of the number
		frame(frameWindowUpdate, 0, 0, 0, 0, 0, 9),
		frame(framePing, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8),
		frame(framePriority, 0, 3, 0, 0, 0, 0, 0),
		frame(frameGoAway, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
		frame(200, 0, 0, 1),
		resetFrame(1, resetCancel),
		resetFrame(3, resetNoError),
		resetFrame(3, 1),
		frame(frameReset, 0, 3, 1), // too short
		frame(framePing, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8),
	}, nil)
	m := frameMeter{}
	charged := m.pass(sent)
	want := [frameKinds]uint64{
		frameData: 3, frameHeaders: 3, framePriority: 1, frameReset: 4, frameSettings: 1, framePing: 2,
		frameGoAway: 1, frameWindowUpdate: 1, frameContinuation: 2, frameUnknown: 1,
	}
	if m.frames != want {
		t.Errorf("frames %v, want %v", m.frames, want)
	}
	got := fmt.Sprint(m.streams, m.empty, m.control(), m.resets, m.failed, m.forced, charged)
	if want := "2 3 7 4 1 0 4"; got != want {
		t.Errorf("streams, empty, control, resets, failed, forced, charged: %s, want %s", got, want)
	}
	equalHoweverCut(t, fromClient, sent, 500)
}

func TestOnlyTheFirstResetOfAStreamThatTheClientForcedIsCharged(t *testing.T) {
	m := frameMeter{direction: fromServer}
	m.pass(frame(frameSettings, 0, 0))
	for _, step := range []struct {
		name         string
		stream, code uint32
		charged      int
	}{
		{"protocol error", 1, 1, 1},
		{"once more", 1, 1, 0},
		{"after a whole response", 3, resetNoError, 0},
		{"DATA that was on its way", 3, 5, 0},
		{"the handler panicked", 5, resetInternal, 0},
		{"the server's wish", 7, resetCancel, 0},
		{"much later", 1001, 7, 1},
		{"too old to be remembered", 3, 5, 1},
		{"still remembered", 1001, 1, 0},
		{"stream closed", 999, 5, 1},
	} {
		if n := m.pass(resetFrame(step.stream, step.code)); n != step.charged {
			t.Errorf("%s: %d charged, want %d", step.name, n, step.charged)
		}
	}
	if m.resets != 10 || m.failed != 8 || m.forced != 4 {
		t.Errorf("%d resets, %d failed, %d forced; want 10, 8, 4", m.resets, m.failed, m.forced)
	}
}

func TestResetStreamsAgreesWithASetWithinItsWindow(t *testing.T) {
	var r resetStreams
	seen := map[uint32]bool{}
	top := uint32(1)
	for range 100_000 {
		top += 2 * uint32(rand.IntN(3))
		if rand.IntN(1000) == 0 {
			top += 2 * uint32(rand.IntN(1000))
		}
		stream := max(int64(top)-2*rand.Int64N(300), 1)
		s := uint32(stream) | 1
		highest := uint32(0)
		highest = max(r.top, s>>1)
		first := r.first(s)
		if remembered := highest-s>>1 < 256; remembered && first == seen[s] || !remembered && !first {
			t.Fatalf("stream %d, highest %d: first %v, reset before %v", s, highest<<1, first, seen[s])
		}
		if highest-s>>1 < 256 {
			seen[s] = true
		}
	}
}

func TestConnectionThatResetsRapidlyIsCut(t *testing.T) {
	addr, conns := meteredServer(t, 50, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	c := rawClient(t, addr)
	m := <-conns
	for i := range uint32(51) {
		send(t, c, getRequest(2*i+1), resetFrame(2*i+1, resetCancel))
	}
	<-m.cut
	<-m.closed
	if m.in.resets < 51 {
		t.Errorf("cut after %d resets, the budget is 50", m.in.resets)
	}
}

func TestConnectionThatMakesTheServerResetIsCut(t *testing.T) {
	for name, provoke := range map[string]func(stream uint32) []byte{
		"WINDOW_UPDATE of zero":          func(s uint32) []byte { return frame(frameWindowUpdate, 0, s, 0, 0, 0, 0) },
		"WINDOW_UPDATE that is too much": func(s uint32) []byte { return frame(frameWindowUpdate, 0, s, 0x7f, 0xff, 0xff, 0xff) },
		"PRIORITY on itself": func(s uint32) []byte {
			return frame(framePriority, 0, s, byte(s>>24), byte(s>>16), byte(s>>8), byte(s), 1)
		},
		"DATA after the end":    func(s uint32) []byte { return frame(frameData, 0, s, 'x') },
		"HEADERS after the end": func(s uint32) []byte { return getRequest(s) },
	} {
		t.Run(name, func(t *testing.T) {
			release := make(chan struct{})
			addr, conns := meteredServer(t, 20, func(w http.ResponseWriter, r *http.Request) { <-release })
			defer close(release)
			c := rawClient(t, addr)
			m := <-conns
			for i := range uint32(21) {
				send(t, c, getRequest(2*i+1), provoke(2*i+1))
			}
			<-m.cut
			<-m.closed
			if m.in.resets != 0 {
				t.Errorf("the client sent %d resets", m.in.resets)
			}
		})
	}
}

// An upload that the handler does not read: net/http resets its stream with NO_ERROR, and once more for each DATA frame
// that comes after that.
func TestRefusedUploadCostsAnHonestClientNothing(t *testing.T) {
	addr, conns := meteredServer(t, 0, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	send(t, c, []byte(clientPreface), frame(frameSettings, 0, 0), postRequest(1))
	reader := newFrameReader(c)
	reader.until(t, frameReset) // the response is complete
	for range 30 {
		send(t, c, frame(frameData, 0, 1, make([]byte, 1000)...))
	}
	for range 30 {
		reader.until(t, frameReset)
	}
	m := <-conns
	c.Close()
	<-m.closed
	if m.out.failed != 30 {
		t.Errorf("%d resets tell of an error, want 30", m.out.failed)
	}
	if m.out.forced != 0 {
		t.Errorf("%d resets are charged to the client", m.out.forced)
	}
}

func TestHandlersThatPanicCostTheClientNothing(t *testing.T) {
	addr, conns := meteredServer(t, 0, func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	client := http2Client(t)
	for range 20 {
		if res, err := client.Get("http://" + addr); err == nil {
			res.Body.Close()
			t.Fatal("no error")
		}
	}
	m := <-conns
	client.CloseIdleConnections()
	<-m.closed
	if len(conns) > 0 || m.out.resets != 20 || m.out.forced != 0 {
		t.Errorf("%d more connections, %d resets, %d forced; want 0, 20, 0", len(conns), m.out.resets, m.out.forced)
	}
}

func TestFrameMeterDoesNotAllocate(t *testing.T) {
	in, out := frameMeter{}, frameMeter{direction: fromServer}
	in.pass([]byte(clientPreface))
	out.pass(frame(frameSettings, 0, 0))
	piece := bytes.Join([][]byte{getRequest(1), frame(frameData, 0, 1, 'x'), resetFrame(1, 1)}, nil)
	if n := testing.AllocsPerRun(1000, func() {
		in.pass(piece[:20])
		in.pass(piece[20:])
		out.pass(piece)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzFrameMeter(f *testing.F) {
	f.Add([]byte(clientPreface), uint16(3))
	f.Add([]byte("PRI0"), uint16(3))
	f.Add(slicesOf([]byte(clientPreface), frame(frameSettings, 0, 0), getRequest(1), resetFrame(1, 8), frame(framePing, 0, 0, 1)), uint16(30))
	f.Add(slicesOf(frame(frameSettings, 0, 0), resetFrame(1, 1), resetFrame(1, 5), frame(frameReset, 0, 3, 1)), uint16(12))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), uint16(1))
	f.Fuzz(func(t *testing.T, raw []byte, at uint16) {
		for _, d := range []meterDirection{fromClient, fromServer} {
			for _, began := range []bool{false, true} { // most of what the fuzzer finds would end in the preface
				piece := raw
				if began && d == fromClient {
					piece = slicesOf([]byte(clientPreface), raw)
				} else if began {
					piece = slicesOf(frame(frameSettings, 0, 0), raw)
				}
				whole, cut := frameMeter{direction: d}, frameMeter{direction: d}
				i := int(at) % (len(piece) + 1)
				n, m := whole.pass(piece), cut.pass(piece[:i])+cut.pass(piece[i:])
				if whole != cut || n != m {
					t.Fatalf("cut at %d: %d charged, %+v; whole: %d charged, %+v", i, m, cut, n, whole)
				}
				if whole.failed > whole.resets || whole.forced > whole.failed || n > len(piece)/frameHeaderLength {
					t.Fatalf("%+v, %d charged", whole, n)
				}
			}
		}
	})
}

func slicesOf(pieces ...[]byte) []byte { return bytes.Join(pieces, nil) }

func BenchmarkFrameMeter(b *testing.B) {
	data := frame(frameData, 0, 1, make([]byte, 16<<10)...)
	small := bytes.Repeat(slicesOf(getRequest(1), resetFrame(1, 8)), 100)
	for name, piece := range map[string][]byte{"16 KiB of DATA": data, "100 requests reset": small} {
		b.Run(name, func(b *testing.B) {
			m := frameMeter{}
			m.pass([]byte(clientPreface))
			b.SetBytes(int64(len(piece)))
			b.ReportAllocs()
			for b.Loop() {
				m.pass(piece)
			}
		})
	}
}
