package attack

import (
	"bufio"
	"net"
	"testing"
)

// talk returns a line whose other end writes the given bytes and then closes, and what that end receives.
func talk(t *testing.T, bytes []byte) (*line, <-chan []byte) {
	t.Helper()
	here, there := net.Pipe()
	got := make(chan []byte, 1)
	go func() {
		there.Write(bytes)
		buf := make([]byte, 256)
		n, _ := there.Read(buf)
		there.Close()
		got <- buf[:n]
	}()
	t.Cleanup(func() { here.Close() })
	return &line{conn: here, in: bufio.NewReader(here)}, got
}

func TestPingIsAnsweredWithItsOwnPayload(t *testing.T) {
	l, got := talk(t, []byte{0x80 | opPing, 2, 'h', 'i'})
	err := l.serve()
	if err == nil {
		t.Error("serve returned nil, want the end of the connection")
	}
	want := string([]byte{0x80 | opPong, 0x80 | 2, 0, 0, 0, 0, 'h', 'i'})
	if frame := <-got; string(frame) != want {
		t.Errorf("answered %q, want %q", frame, want)
	}
}

func TestCloseFrameEndsTheWebsocket(t *testing.T) {
	l, got := talk(t, []byte{0x80 | opClose, 2, 0x03, 0xE8})
	if err := l.serve(); err != errCloseFrame {
		t.Errorf("serve returned %v, want %v", err, errCloseFrame)
	}
	l.conn.Close()
	<-got
}

func TestDataOfEverySizeIsThrownAway(t *testing.T) {
	long := append([]byte{0x82, 126, 0x01, 0x00}, make([]byte, 256)...)
	longer := append([]byte{0x82, 127, 0, 0, 0, 0, 0, 0, 0x01, 0x00}, make([]byte, 256)...)
	frames := append([]byte{0x81, 1, 'x'}, long...)
	frames = append(frames, longer...)
	l, got := talk(t, append(frames, 0x80|opClose, 0))
	if err := l.serve(); err != errCloseFrame {
		t.Errorf("serve returned %v, want to arrive at the close frame behind the data", err)
	}
	l.conn.Close()
	<-got
}
