package client

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount/observe/wire"
)

func TestAFollowerSeesTheTreeAndWhatChanges(t *testing.T) {
	p := start(t)
	c := connect(t, serve(t, p.page), Config{Token: secret})
	var tree *wire.Snapshot
	for u := range c.Follow(t.Context()) {
		switch {
		case u.Err != nil:
			t.Fatal(u.Err)
		case u.Snapshot != nil:
			tree = u.Snapshot
			if _, err := p.jobs.Go(t.Context(), untilStopped); err != nil {
				t.Fatal(err)
			}
		default:
			tree = tree.After(u.Delta)
		}
		if i := slices.IndexFunc(tree.Rows, func(r wire.Row) bool { return r.Path == "app/jobs" }); tree.Rows[i].Children == 1 {
			break
		}
	}
	if len(tree.Rows) != 3 || tree.Root != "app" {
		t.Errorf("the tree is %+v", tree)
	}
}

func TestAFollowerWhoMayNotIsToldAtOnce(t *testing.T) {
	p := start(t)
	problem := (*wire.Problem)(nil)
	for u := range connect(t, serve(t, p.page), Config{}).Follow(t.Context()) {
		if !errors.As(u.Err, &problem) || problem.Status != http.StatusUnauthorized || u.Retry <= 0 {
			t.Errorf("update %+v", u)
		}
		break
	}
}

// A script is what each connection tells, in synthetic time; after it, the connection stays open and silent if hold is set.
type script struct {
	t     *testing.T
	conns []conn
	asked []string // the Last-Event-ID of each connection
	at    []time.Time
}

type conn struct {
	text string
	hold bool
	err  error
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	n := len(s.asked)
	s.asked = append(s.asked, r.Header.Get("Last-Event-ID"))
	s.at = append(s.at, time.Now())
	if n >= len(s.conns) {
		return nil, errors.New("down")
	}
	c := s.conns[n]
	if c.err != nil {
		return nil, c.err
	}
	body := io.Reader(strings.NewReader(c.text))
	if c.hold {
		reader, writer := io.Pipe()
		go func() {
			_, _ = io.WriteString(writer, c.text)
			<-r.Context().Done()
			writer.CloseWithError(r.Context().Err())
		}()
		body = reader
	}
	return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: io.NopCloser(body), Request: r}, nil
}

func event(kind, id, data string) string {
	return fmt.Sprintf("event: %s\nid: %s\ndata: %s\n\n", kind, id, data)
}

func (s *script) client() *Client {
	c, err := New("test", Config{})
	if err != nil {
		s.t.Fatal(err)
	}
	c.http.Transport = s
	return c
}

func TestALostConnectionGoesOnWhereItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t, conns: []conn{
			{text: "retry: 2000\n\n" + event("snapshot", "a-1", `{"id":"a-1","root":"app"}`) + ": still here\n\n" + event("delta", "a-2", `{"id":"a-2"}`)},
			{err: errors.New("no route")},
			{text: event("news", "a-3", "of a later version") + "event: delta\r\nid: a-4\r\ndata: {\"id\":\r\ndata: \"a-4\"}\r\n\r\n"},
		}}
		var got []string
		for u := range s.client().Follow(t.Context()) {
			switch {
			case u.Err != nil:
				got = append(got, u.Err.Error())
			case u.Snapshot != nil:
				got = append(got, "snapshot "+u.Snapshot.ID)
			default:
				got = append(got, "delta "+u.Delta.ID)
			}
			if len(got) == 6 {
				break
			}
		}
		want := []string{
			"snapshot a-1", "delta a-2", "cannot reach test: the connection was closed", "cannot reach test: no route", "delta a-4",
			"cannot reach test: the connection was closed",
		}
		if !slices.Equal(got, want) {
			t.Errorf("told %q, want %q", got, want)
		}
		if want := []string{"", "a-2", "a-2"}; !slices.Equal(s.asked, want) {
			t.Errorf("asked to go on after %q, want %q", s.asked, want)
		}
	})
}

func TestPausesBetweenAttemptsGrowToHalfAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &script{t: t}
		n := 0
		for range s.client().Follow(t.Context()) {
			if n++; n == 9 {
				break
			}
		}
		pause := firstPause
		for i := 1; i < len(s.at); i++ {
			if d := s.at[i].Sub(s.at[i-1]); d < pause/2 || d > pause {
				t.Errorf("the pause before attempt %d is %v, want between %v and %v", i, d, pause/2, pause)
			}
			pause = min(2*pause, longPause)
		}
		if pause != longPause {
			t.Errorf("the pause has grown to %v only", pause)
		}
	})
}

func TestASilentConnectionIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		s := &script{t: t, conns: []conn{{text: event("snapshot", "a-1", `{"id":"a-1"}`), hold: true}}}
		for u := range s.client().Follow(t.Context()) {
			if u.Err == nil {
				continue
			}
			if !errors.Is(u.Err, errSilent) || time.Since(began) != silence {
				t.Errorf("after %v: %v", time.Since(began), u.Err)
			}
			break
		}
	})
}

func TestAnEventWithoutEndIsCutOff(t *testing.T) {
	r := newEventReader(io.MultiReader(strings.NewReader("data: "), endless{}), 1000)
	if _, err := r.next(func() {}); err == nil {
		t.Error("a line without end is read")
	}
	many := strings.Repeat("data: xxxxxxxxxxxxxxxxxxxx\n", 100)
	if _, err := newEventReader(strings.NewReader(many), 1000).next(func() {}); err == nil || err == io.EOF {
		t.Errorf("lines without end: error %v", err)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

func TestWhatIsNotJSONInTheStreamIsAnError(t *testing.T) {
	s := &script{t: t, conns: []conn{{text: event("snapshot", "a-1", `{"id":`)}}}
	for u := range s.client().Follow(t.Context()) {
		if other := (*NotAPIError)(nil); !errors.As(u.Err, &other) {
			t.Errorf("update %+v", u)
		}
		break
	}
}

func FuzzEventReader(f *testing.F) {
	f.Add("retry: 2000\n\nevent: snapshot\nid: a-1\ndata: {}\n\n: x\n\n")
	f.Add("data\ndata:\r\n\r\nid")
	f.Fuzz(func(t *testing.T, text string) {
		r := newEventReader(strings.NewReader(text), 1000)
		for {
			if _, err := r.next(func() {}); err != nil {
				return
			}
		}
	})
}
