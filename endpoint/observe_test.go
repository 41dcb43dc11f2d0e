package endpoint

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

type ctx = context.Context

// syncBuffer is written by the endpoint while the test reads it.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestObservedLayersRefuseNothingAndCount(t *testing.T) {
	block := make(chan struct{})
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			<-block
		}
		readBody(w, r)
	}, Observe(LayerAccept, LayerBytes, LayerRequests, LayerStarts),
		Limits{Conns: 1, ConnsPerClient: 1, ConnsPerPrefix: 1, Requests: 1, RequestsPerClient: 1, RequestsPerKey: 1},
		Rates{Conns: 1, ConnsBurst: 1, Requests: 1, RequestsBurst: 1, ReadBytes: 100_000}, Timeouts{Stall: 10 * time.Millisecond}, Sizes{Body: 5})
	for range 3 {
		fmt.Fprint(dial(t, addr(e)), "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	eventually(t, "three requests", func() bool { return e.Requests().Counts().Running == 3 })
	c := dial(t, addr(e))
	fmt.Fprint(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n0123456789")
	time.Sleep(30 * time.Millisecond)
	fmt.Fprint(c, "0123456789")
	readUntil(t, c, "\r\n\r\n20")
	close(block)
	for _, name := range []string{"max_children", "max_per_key", "conns_per_prefix", "conn_rate", "requests_per_client", "request_rate", "slow_body", "big_body"} {
		g := e.Gate(name).Snapshot()
		if g.Refused != 0 || g.Observed == 0 || !g.Observing {
			t.Errorf("%s: refused %d and observed %d, want none refused and some observed", name, g.Refused, g.Observed)
		}
	}
	for _, c := range []string{"web/conns", "web/requests"} {
		n, ok := e.Supervisor().Tree().Find(c)
		if !ok || len(n.Gates) == 0 || n.Counts.Refused.Total() != 0 {
			t.Errorf("%s shows %+v", c, n.Gates)
		}
	}
	if s := settingsText(e); !strings.Contains(s, "Observe=accept bytes requests starts") {
		t.Errorf("the settings are %s", s)
	}
}

func settingsText(e *Endpoint) string {
	var all []string
	for _, s := range e.Settings() {
		all = append(all, s.Name+"="+s.Value)
	}
	return strings.Join(all, " ")
}

func TestObservedLayersRefuseNoLongHeaderAndNoHighDescriptor(t *testing.T) {
	most, ok := maxDescriptors()
	if !ok {
		t.Skip("the number of descriptors is not known here")
	}
	e := start(t, hello, Observe(LayerAccept, LayerBytes), Limits{Descriptors: most - 1})
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+addr(e), nil)
	req.Header.Set("Cookie", strings.Repeat("x", 20<<10))
	res, err := client(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("a header of 20 KiB gives %d, though the layer only observes", res.StatusCode)
	}
	if g := e.Gate("descriptors").Snapshot(); g.Observed != 1 || g.Refused != 0 {
		t.Errorf("descriptors: observed %d and refused %d, want one observed", g.Observed, g.Refused)
	}
}
