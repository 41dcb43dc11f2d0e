package endpoint

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
)

func TestRequestsAreLimitedByClientKeyAndRoute(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/hold") {
			<-block
		}
		fmt.Fprint(w, "done")
	}, Timeouts{Wait: NoWait}, Limits{Requests: 100, RequestsPerClient: 4, RequestsPerKey: 2},
		KeyFunc(func(r *http.Request) string { return r.Header.Get("User") }),
		RouteFunc(func(r *http.Request) string { return strings.Trim(r.URL.Path, "/") }), Route("hold_one", 1))

	do := func(ip, user, path string) (*http.Response, error) {
		d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
		tr := &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true}
		req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+addr(e)+path, nil)
		req.Header.Set("User", user)
		res, err := tr.RoundTrip(req)
		if err == nil {
			res.Body.Close()
		}
		return res, err
	}
	hold := func(ip, user, path string, running int) {
		go do(ip, user, path)
		eventually(t, "the request to be held", func() bool { return e.Requests().Counts().Running == running })
	}
	refused := func(ip, user, path string, status int, reason string) {
		t.Helper()
		res, err := do(ip, user, path)
		if err != nil {
			t.Fatal(err)
		}
		after, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		if res.StatusCode != status || res.Header.Get("Headcount-Reason") != reason || after < 1 || after > 60 {
			t.Errorf("the answer is %d %v, want %d for %s with a sensible Retry-After", res.StatusCode, res.Header, status, reason)
		}
	}
	hold("127.0.0.1", "ann", "/hold_one", 1)
	refused("127.0.0.1", "bob", "/hold_one", 503, "route_hold_one")
	hold("127.0.0.1", "ann", "/hold", 2)
	refused("127.0.0.2", "ann", "/", 429, "max_per_key")
	hold("127.0.0.1", "bob", "/hold", 3)
	hold("127.0.0.1", "cleo", "/hold", 4)
	refused("127.0.0.1", "dan", "/", 429, "requests_per_client")
	if res, err := do("127.0.0.2", "dan", "/"); err != nil || res.StatusCode != 200 {
		t.Errorf("somebody else gets %v %v, want 200", res, err)
	}
	for _, k := range e.Requests().TopKeys(10) {
		if strings.Contains(k.Name, "ann") {
			t.Errorf("the key is shown as %q, want a hash", k.Name)
		}
	}
}

// What may have to verify a token must not be what a flood can ask for without end.
func TestKeyFuncIsAskedAfterWhatCostsLess(t *testing.T) {
	var keys, classes atomic.Int32
	e := start(t, hello, Rates{Requests: 1, RequestsBurst: 3},
		KeyFunc(func(r *http.Request) string { keys.Add(1); return "ann" }),
		PriorityFunc(func(r *http.Request) headcount.Class { classes.Add(1); return 0 }))
	c := client(t)
	for range 20 {
		get(t, c, "http://"+addr(e))
	}
	if k, p := keys.Load(), classes.Load(); k < 3 || k > 5 || p != k {
		t.Errorf("of 20 requests at a rate for 3, KeyFunc saw %d and PriorityFunc %d", k, p)
	}
}

func TestRequestsOfAHigherClassHaveRoomKept(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	e := start(t, func(w http.ResponseWriter, r *http.Request) { <-block }, Timeouts{Wait: NoWait},
		Limits{Requests: 10}, Shares(0.5, 1),
		KeyFunc(func(r *http.Request) string { return r.URL.Path }),
		PriorityFunc(func(r *http.Request) headcount.Class {
			if r.Header.Get("Proven") != "" {
				return 1
			}
			return 0
		}))
	send := func(path, header string) net.Conn {
		c := dial(t, addr(e))
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n", path, header)
		return c
	}
	for i := range 5 {
		send(fmt.Sprint("/", i), "")
	}
	eventually(t, "the share of the low class to be full", func() bool { return e.Requests().Counts().Running == 5 })
	readUntil(t, send("/low", ""), "Headcount-Reason: priority")
	send("/high", "Proven: 1\r\n")
	eventually(t, "a request of the high class", func() bool { return e.Requests().Counts().Running == 6 })
}

func TestRoutesKeepRoomForAHigherClassToo(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	e := start(t, func(w http.ResponseWriter, r *http.Request) { <-block }, Shares(0.5, 1),
		Route("slow", 4), RouteFunc(func(*http.Request) string { return "slow" }),
		PriorityFunc(func(r *http.Request) headcount.Class {
			if r.Header.Get("Proven") != "" {
				return 1
			}
			return 0
		}))
	for i, header := range []string{"", "", "no", "Proven: 1\r\n", "Proven: 1\r\n", "no"} {
		c, refused := dial(t, addr(e)), header == "no"
		if refused {
			header = ""
		}
		fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", header)
		if refused {
			readUntil(t, c, "Headcount-Reason: route_slow")
			continue
		}
		eventually(t, fmt.Sprintf("request %d to be let in", i), func() bool { return e.Requests().Counts().Running == []int{1, 2, 2, 3, 4}[i] })
	}
	full := dial(t, addr(e))
	fmt.Fprint(full, "GET / HTTP/1.1\r\nHost: x\r\nProven: 1\r\n\r\n")
	readUntil(t, full, "Headcount-Reason: route_slow")
	if n := e.Gate("route_slow").Snapshot().Refused; n != 3 {
		t.Errorf("%d are counted as refused, want 3", n)
	}
}

func TestRequestsTogetherHoldWhatTheyMay(t *testing.T) {
	block := make(chan struct{})
	defer close(block)
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		if err := headcount.Charge(r.Context(), 60); err != nil {
			http.Error(w, err.Error(), http.StatusInsufficientStorage)
			return
		}
		<-block
	}, Sizes{Held: 100})
	const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	fmt.Fprint(dial(t, addr(e)), request)
	eventually(t, "the first request to hold its bytes", func() bool { return e.Requests().Counts().Bytes == 60 })
	second := dial(t, addr(e))
	fmt.Fprint(second, request)
	readUntil(t, second, "max_bytes reached: 60 held by all children of 100")
}

func TestRequestsOfAClientHaveARate(t *testing.T) {
	e := start(t, hello, Rates{Requests: 1, RequestsBurst: 2})
	c := dial(t, addr(e))
	in := bufio.NewReader(c)
	for want := range []int{200, 200, 429} {
		fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		if want == 2 && (res.StatusCode != 429 || res.Header.Get("Headcount-Reason") != "request_rate" || res.Header.Get("Retry-After") == "") {
			t.Errorf("the third answer is %d %v, want 429 with the reason and Retry-After", res.StatusCode, res.Header)
		}
		if want < 2 && res.StatusCode != 200 {
			t.Errorf("answer %d is %d, want 200", want, res.StatusCode)
		}
	}
}

func TestRequestWaitsBrieflyForRoom(t *testing.T) {
	entered, leave := make(chan struct{}, 10), make(chan struct{})
	e := start(t, func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-leave
		fmt.Fprint(w, "done")
	}, Limits{Requests: 1, Waiting: 1}, Timeouts{Wait: time.Second}, Shares(1),
		KeyFunc(func(r *http.Request) string { return r.URL.Path })) // a key that is full does not wait
	defer close(leave)
	send := func(path string) net.Conn {
		c := dial(t, addr(e))
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
		return c
	}
	first := send("/1")
	<-entered
	second := send("/2")
	eventually(t, "the second to wait", func() bool { return e.Requests().Counts().Waiting == 1 })
	readUntil(t, send("/4"), "Headcount-Reason: queue_full")
	leave <- struct{}{}
	readUntil(t, first, "done")
	<-entered
	third := send("/3")
	readUntil(t, third, "Headcount-Reason: wait_timeout")
	leave <- struct{}{}
	readUntil(t, second, "done")
}

func TestRateThatWasUnlimitedCanBeLimited(t *testing.T) {
	e := start(t, hello, Rates{Requests: headcount.Unlimited})
	if err := e.Gate("request_rate").Limit().Set(0, headcount.Change{By: "test"}); err != nil {
		t.Fatal(err)
	}
	if res, _ := get(t, client(t), "http://"+addr(e)); res.StatusCode != 429 {
		t.Errorf("the answer is %d at a rate of 0", res.StatusCode)
	}
}
