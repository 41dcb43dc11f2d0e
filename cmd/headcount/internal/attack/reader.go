package attack

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
)

// SlowReader is a new user who asks for one long answer n times and takes it a byte at a time.
func SlowReader(n int, from Clients) Attack {
	long := &longAnswer{}
	return Attack{
		Name:  "slow reader",
		About: fmt.Sprintf("one new user asks %d times for an answer of two hundred kilobytes and takes it ten bytes a second", n),
		Shots: n, Workers: 32,
		gun: func(_ Attack, t Target, _ int, tally *Tally, held *hold) gun {
			token := t.Token("reader")
			return &liner{tally: tally, held: held, misuse: (*line).sip,
				dial: func(ctx context.Context, shot int) (*line, error) {
					return dialBy(ctx, net.Dialer{LocalAddr: t.From.Addr(from.number(shot)), Control: smallWindow}, t.Addr)
				},
				begin: func(ctx context.Context, l *line, _ int) error {
					path, err := long.path(ctx, t, token)
					if err != nil {
						return err
					}
					_, err = io.WriteString(l.conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "+token+"\r\n\r\n")
					if err != nil {
						return err
					}
					const ok = "HTTP/1.1 200"
					if head, err := l.in.Peek(len(ok)); err != nil || string(head) == ok {
						return err
					}
					_, _, err = l.answer()
					return err
				},
			}
		},
	}
}

// longAnswer is the job whose result is long, handed in once.
type longAnswer struct {
	once sync.Once
	at   string
	err  error
}

func (a *longAnswer) path(ctx context.Context, t Target, token string) (string, error) {
	a.once.Do(func() {
		client := api.NewFrom(t.From.Addr(1), t.Addr, 1)
		defer client.Close()
		id, state := "", ""
		for state != "done" && (a.err == nil || api.Refused(a.err)) {
			select {
			case <-time.After(5 * time.Millisecond):
			case <-ctx.Done():
				a.err = ctx.Err()
				return
			}
			if id == "" {
				id, a.err = client.PostJob(ctx, token, api.Job{Kind: "resize", Data: noise(), Width: noiseSide})
			} else {
				state, a.err = client.JobState(ctx, token, id)
			}
		}
		a.at = "/jobs/" + id
	})
	return a.at, a.err
}

// noiseSide makes a picture of more than a hundred kilobytes, which base64 makes longer. It is drawn quickly, and still
// more than what the kernel buffers of a connection with a small window.
const noiseSide = 192

// noise is a picture that does not get smaller by compression.
var noise = sync.OnceValue(func() []byte {
	img := image.NewRGBA(image.Rect(0, 0, noiseSide, noiseSide))
	for i := range img.Pix {
		img.Pix[i] = byte(rand.Uint32())
		if i%4 == 3 {
			img.Pix[i] = 0xFF
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // does not fail for an image of a valid size
	return b.Bytes()
})

// sip takes the answer a byte at a time. What has arrived before a reset can still be read, so that alone would not tell
// for long that the connection is gone: it says something, too.
func (l *line) sip() error {
	var b [1]byte
	for {
		if _, err := io.WriteString(l.conn, "\r\n"); err != nil {
			return err
		}
		// Past the buffer of the line, so that the window of the connection stays shut.
		if _, err := l.conn.Read(b[:]); err != nil {
			return err
		}
		time.Sleep(dribble)
	}
}
