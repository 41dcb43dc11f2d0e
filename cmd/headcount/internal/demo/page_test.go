package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// An onlooker reads the progress of a demo, and looks at the page again and again while the application is attacked.
type onlooker struct {
	io.Writer
	client  http.Client
	looking sync.WaitGroup
	over    chan struct{}

	begun, ended bool

	// Of the goroutine that looks.
	looks   int
	refused uint64 // the most in a minute that the page has told
	slowest time.Duration
	err     error
}

func newOnlooker(told io.Writer) *onlooker {
	return &onlooker{Writer: told, client: http.Client{Timeout: 5 * time.Second}, over: make(chan struct{})}
}

var pageLine = regexp.MustCompile(`protected: see it while it is attacked: (http://127\.0\.0\.1:\d+/)\n`)

func (o *onlooker) Write(text []byte) (int, error) {
	if m := pageLine.FindSubmatch(text); m != nil && !o.begun {
		o.begun = true
		page := string(m[1]) // a copy: the caller keeps the text
		o.looking.Go(func() { o.look(page) })
	}
	if strings.Contains(string(text), "protected: told to stop") && !o.ended {
		o.ended = true
		close(o.over)
	}
	return o.Writer.Write(text)
}

func (o *onlooker) look(page string) {
	defer o.client.CloseIdleConnections()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-o.over:
			return
		case <-tick.C:
		}
		began := time.Now()
		refused, err := o.ask(page)
		if err != nil {
			select {
			case <-o.over: // it was being stopped
			default:
				o.err = err
			}
			return
		}
		o.looks++
		o.refused, o.slowest = max(o.refused, refused), max(o.slowest, time.Since(began))
	}
}

func (o *onlooker) ask(page string) (refused uint64, err error) {
	resp, err := o.client.Get(page + "api/v1/tree")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("the page answers %s", resp.Status)
	}
	var tree struct {
		Totals struct {
			Refused uint64 `json:"refused_minute"`
		}
	}
	err = json.NewDecoder(resp.Body).Decode(&tree)
	return tree.Totals.Refused, err
}

// done tells what was seen, after the demo.
func (o *onlooker) done(t *testing.T) {
	t.Helper()
	if !o.ended {
		o.ended = true
		close(o.over)
	}
	o.looking.Wait()
	if o.err != nil || o.looks < 10 || o.refused == 0 {
		t.Errorf("the page was seen %d times during the attacks, with up to %d refused in a minute: %v", o.looks, o.refused, o.err)
	}
	t.Logf("the page was seen %d times, the slowest answer took %v", o.looks, o.slowest)
}
