package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/headcount-go/headcount/observe/wire"
)

// An Update is what the stream tells: one of Snapshot, Delta and Err.
type Update struct {
	Snapshot *wire.Snapshot // the whole tree, at first and after a gap
	Delta    *wire.Delta    // what has changed since the update before
	Err      error          // there is no connection; the next attempt is after Retry
	Retry    time.Duration
}

const (
	silence    = 45 * time.Second // three heartbeats
	firstPause = time.Second
	longPause  = 30 * time.Second
)

var errSilent = fmt.Errorf("nothing was heard for %v", silence)

// Follow tells what changes, about once in a second, until the context ends or the caller stops. A connection that is lost,
// or could not be made, is an update with Err; it is made again after a pause that grows to half a minute, and goes on where
// it was where the program still knows that. Who does not want to wait stops there. At most 16 can follow a program at once,
// unless it allows more.
func (c *Client) Follow(ctx context.Context) iter.Seq[Update] {
	return func(yield func(Update) bool) {
		last, pause := "", firstPause
		for {
			told, stopped, err := c.follow(ctx, &last, yield)
			if stopped || ctx.Err() != nil {
				return
			}
			if told {
				pause = firstPause
			}
			// Those who have lost the same program do not all come back at the same moment.
			retry := pause/2 + rand.N(pause/2)
			if !yield(Update{Err: err, Retry: retry}) {
				return
			}
			timer := time.NewTimer(retry)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return
			}
			pause = min(2*pause, longPause)
		}
	}
}

// follow tells what one connection has to tell, and notes in last where to go on. told is whether there was anything.
func (c *Client) follow(ctx context.Context, last *string, yield func(Update) bool) (told, stopped bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(silence, func() { cancel(errSilent) })
	defer watchdog.Stop()
	r, err := c.request(ctx, "events", nil, nil)
	if err != nil {
		return false, false, err
	}
	r.Header.Set("Accept", "text/event-stream")
	if *last != "" {
		r.Header.Set("Last-Event-ID", *last)
	}
	answer, err := c.send(r, "text/event-stream")
	if err != nil {
		return false, false, err
	}
	defer answer.Body.Close()
	events := newEventReader(answer.Body, maxAnswer)
	for {
		e, err := events.next(func() { watchdog.Reset(silence) })
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		if err == io.EOF {
			err = errors.New("the connection was closed")
		}
		if err != nil {
			return told, false, &ConnectError{c.address, err}
		}
		u := Update{}
		switch e.kind {
		case "snapshot":
			u.Snapshot = &wire.Snapshot{}
			err = json.Unmarshal(e.data, u.Snapshot)
		case "delta":
			u.Delta = &wire.Delta{}
			err = json.Unmarshal(e.data, u.Delta)
		default:
			continue // of a later version
		}
		if err != nil {
			return told, false, c.notAPI(answer.StatusCode, "its stream cannot be read: %v", err)
		}
		*last, told = e.id, true
		if !yield(u) {
			return told, true, nil
		}
	}
}

// An eventReader reads server-sent events, as in the HTML standard, 9.2. Lines end with LF or CRLF.
type eventReader struct {
	lines *bufio.Scanner
	most  int // bytes of the data of an event
}

type serverEvent struct {
	kind, id string
	data     []byte
}

func newEventReader(r io.Reader, most int) *eventReader {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, most)
	return &eventReader{lines, most}
}

// next reads an event. heard is called at each line, comments too.
func (r *eventReader) next(heard func()) (e serverEvent, err error) {
	for r.lines.Scan() {
		heard()
		line := r.lines.Text()
		if line == "" {
			if e.data != nil {
				return e, nil
			}
			e = serverEvent{}
			continue
		}
		field, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "event":
			e.kind = value
		case "id":
			e.id = value
		case "data":
			if e.data != nil {
				e.data = append(e.data, '\n')
			}
			if e.data = append(e.data, value...); len(e.data) > r.most {
				return e, bufio.ErrTooLong
			}
		}
	}
	if err := r.lines.Err(); err != nil {
		return e, err
	}
	return e, io.EOF
}
