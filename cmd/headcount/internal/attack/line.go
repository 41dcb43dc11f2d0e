package attack

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
)

// line is one connection of the attacker, from the TCP handshake on, and the websocket after a successful upgrade.
//
// The honest users use a proper websocket library. The attacker does not: it must stay far cheaper than its target,
// with which it shares the machine, and it needs nothing of the protocol but the upgrade and answers to pings.
type line struct {
	conn net.Conn
	in   *bufio.Reader
}

// dial opens a connection from an address of the attacker's, nil for any.
func dial(ctx context.Context, from net.Addr, addr string) (*line, error) {
	return dialBy(ctx, net.Dialer{LocalAddr: from}, addr)
}

func dialBy(ctx context.Context, d net.Dialer, addr string) (*line, error) {
	ctx, cancel := context.WithTimeout(ctx, tryWithin)
	defer cancel()
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	// A small buffer: ten thousand of them are held at once.
	return &line{conn: conn, in: bufio.NewReaderSize(conn, 512)}, nil
}

// upgrade asks for a websocket. A refusal is an *api.StatusError; reusable then says whether the connection can carry
// another try.
func (l *line) upgrade(token string) (reusable bool, err error) {
	const head = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: aGVhZGNvdW50IGF0dGFjaw==\r\nAuthorization: Bearer "
	if _, err := io.WriteString(l.conn, head+token+"\r\n\r\n"); err != nil {
		return false, err
	}
	code, reusable, err := l.answer()
	if code == http.StatusSwitchingProtocols {
		return false, nil
	}
	return reusable, err
}

// answer reads one answer. One that is not 2xx is an *api.StatusError; reusable says whether the connection can carry
// another request.
func (l *line) answer() (code int, reusable bool, err error) {
	resp, err := http.ReadResponse(l.in, nil)
	if err != nil {
		return 0, false, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp.StatusCode, false, nil
	}
	const maxAnswer = 4096
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return resp.StatusCode, false, err
	}
	reusable = !resp.Close && len(text) < maxAnswer
	if resp.StatusCode/100 != 2 {
		err = api.NewStatusError(resp, text)
	}
	return resp.StatusCode, reusable, err
}

const (
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xA

	// maxControl is the largest payload of a control frame (RFC 6455, section 5.5).
	maxControl = 125
)

var errCloseFrame = errors.New("the application closed the websocket")

// serve reads frames until the connection ends, throws data away and answers pings, so that the application has no
// reason to think the websocket dead.
func (l *line) serve() error {
	for {
		op, payload, err := l.readFrame()
		if err != nil {
			return err
		}
		switch op {
		case opClose:
			return errCloseFrame
		case opPing:
			if err := l.pong(payload); err != nil {
				return err
			}
		}
	}
}

// readFrame reads one frame of RFC 6455, section 5.2, as a server sends it: without a mask. Only the payload of a
// control frame is returned.
func (l *line) readFrame() (op byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(l.in, head[:]); err != nil {
		return 0, nil, err
	}
	op = head[0] & 0x0F
	size := uint64(head[1] & 0x7F)
	switch size {
	case 126:
		var b [2]byte
		if _, err := io.ReadFull(l.in, b[:]); err != nil {
			return 0, nil, err
		}
		size = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		if _, err := io.ReadFull(l.in, b[:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(b[:])
	}
	if op >= opClose && size <= maxControl {
		payload = make([]byte, size)
		_, err := io.ReadFull(l.in, payload)
		return op, payload, err
	}
	_, err = io.CopyN(io.Discard, l.in, int64(min(size, 1<<30)))
	return op, nil, err
}

// pong answers a ping with its own payload. A client must mask; a mask of zeros is one, and leaves the payload as it is.
func (l *line) pong(payload []byte) error {
	frame := append([]byte{0x80 | opPong, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
	_, err := l.conn.Write(frame)
	return err
}
