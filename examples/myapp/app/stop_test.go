package app

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestOrderlyStopEndsWhatStays(t *testing.T) {
	r := start(t, testConfig(t))
	ada := token(t, "ada", false)
	conn := r.mustWS(ada)
	echo(t, conn, "ping")
	lines := r.events(ada)
	polled := make(chan answer, 1)
	go func() {
		a, err := r.try("GET", "/poll?wait=60", ada, "")
		if err != nil {
			t.Error(err)
		}
		polled <- a
	}()
	r.submit(ada, `{"kind":"sleep","millis":10000}`)
	r.until(func() bool { return r.inside().UserChildren == 4 }) // three sessions and the queue

	began := time.Now()
	code := make(chan int, 1)
	go func() { code <- r.stop() }()
	wantGoodbye(t, conn)
	if a := <-polled; a.status != http.StatusOK {
		t.Errorf("the poll got %d %s", a.status, a.body)
	}
	for lines.Scan() {
		continue // up to the end of the stream
	}
	if err := lines.Err(); err != nil {
		t.Errorf("the event stream was cut: %v", err)
	}
	if c := <-code; c != 0 {
		t.Errorf("exit status %d", c)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the stop took %v though nothing refused to", took)
	}
	if _, err := r.try("GET", "/healthz", "", ""); err == nil {
		t.Error("it still answers")
	}
}

func TestChildThatRefusesToStopIsNamed(t *testing.T) {
	c := testConfig(t)
	c.stopWithin = 2 * time.Second
	r := start(t, c)
	id := r.submit(token(t, "ada", false), `{"kind":"hang","millis":3000}`)
	if code := r.stop(); code != 3 {
		t.Errorf("exit status %d, want 3", code)
	}
	if said := r.stderr.String(); !strings.Contains(said, "\n  myapp/workers/job-"+id+"\n") {
		t.Error("the child is not named")
	}
}

func TestServiceThatCannotListenSaysSo(t *testing.T) {
	r := start(t, testConfig(t))
	c := testConfig(t)
	c.addr = r.addr // taken
	var said lockedBuffer
	if code := serve(t.Context(), c, &said, hooks{}); code != 1 {
		t.Errorf("exit status %d, want 1", code)
	}
	if !strings.Contains(said.String(), "address already in use") {
		t.Errorf("it said:\n%s", said.String())
	}
}
