package app

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dialRaw opens a connection for a client that does not keep to the rules.
func (r *running) dialRaw() net.Conn {
	r.t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(soon)); err != nil {
		r.t.Fatal(err)
	}
	return conn
}

// wantAnswerThenEnd reads one answer and checks that the connection is closed after it.
func wantAnswerThenEnd(t *testing.T, conn net.Conn, status int) {
	t.Helper()
	reader := bufio.NewReader(conn)
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != status || !resp.Close {
		t.Errorf("%s, close %v, %v; want %d and close", resp.Status, resp.Close, err, status)
	}
	if _, err := reader.ReadByte(); err == nil {
		t.Error("the connection goes on")
	} else if netErr, ok := err.(net.Error); ok && netErr.Timeout() {
		t.Error("the connection is held")
	}
}

func TestRefusalIsNotHeldByAnUnreadBody(t *testing.T) {
	c := testConfig(t)
	c.maxRequests = 0
	r := start(t, c)
	for name, row := range map[string]struct {
		request string
		status  int
	}{
		"not signed in": {"POST /jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{", http.StatusUnauthorized},
		"full":          {"POST /jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token(t, "ada", true) + "\r\nContent-Length: 100000\r\n\r\n{", http.StatusServiceUnavailable},
		"nowhere":       {"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{", http.StatusNotFound},
		"a body to get": {"GET /poll HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token(t, "ada", true) + "\r\nContent-Length: 100000\r\n\r\n{", http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			conn := r.dialRaw()
			began := time.Now()
			if _, err := io.WriteString(conn, row.request); err != nil {
				t.Fatal(err)
			}
			wantAnswerThenEnd(t, conn, row.status)
			if took := time.Since(began); took > c.bodyWithin/2 {
				t.Errorf("it took %v: the server waited for the body", took)
			}
		})
	}
}

func TestSlowBodyIsCutOff(t *testing.T) {
	c := testConfig(t)
	c.bodyWithin = 50 * time.Millisecond
	r := start(t, c)
	conn := r.dialRaw()
	fmt.Fprintf(conn, "POST /jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 1000\r\n\r\n{", token(t, "ada", false))
	wantAnswerThenEnd(t, conn, http.StatusRequestTimeout)
}

func TestSlowHeaderIsCutOff(t *testing.T) {
	c := testConfig(t)
	c.headerWithin = 50 * time.Millisecond
	r := start(t, c)
	conn := r.dialRaw()
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: "); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Errorf("the connection is held: %v", err)
	}
}

func TestWaitingForASlotOutlastsTheTimeForTheBody(t *testing.T) {
	c := testConfig(t)
	c.maxJobs, c.jobQueue, c.jobWait, c.bodyWithin = 1, 1, soon, 50*time.Millisecond
	r := start(t, c)
	ada := token(t, "ada", true)
	r.submit(ada, `{"kind":"sleep","millis":300}`)

	conn := r.dialRaw()
	reader := bufio.NewReader(conn)
	for _, row := range []struct {
		request string
		status  int
	}{
		{"POST /jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + ada + "\r\nContent-Length: 27\r\n\r\n" + `{"kind":"sleep","millis":1}`, http.StatusAccepted},
		{"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", http.StatusOK}, // the connection is as good as before
	} {
		if _, err := io.WriteString(conn, row.request); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != row.status {
			t.Errorf("%s, %v, want %d", resp.Status, err, row.status)
		}
	}
}

func TestConnectionsAreClosedAtTheirLimit(t *testing.T) {
	c := testConfig(t)
	c.connsPerClient = 2
	r := start(t, c)
	first, second := r.dialRaw(), r.dialRaw()
	for _, conn := range []net.Conn{first, second} {
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if third, err := net.Dial("tcp", r.addr); err == nil { // or it has been hung up on already
		defer third.Close()
		if n, err := third.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("the third got %d bytes, %v; want to be hung up on", n, err)
		}
	}
	first.Close()
	r.until(func() bool { // the server sees the end of the first when it sees it
		_, err := r.try("GET", "/healthz", "", "")
		return err == nil
	})
}

// fill opens a websocket for each place of users, and keeps it.
func (r *running) fill(places int) {
	r.t.Helper()
	for i := range places {
		r.mustWS(token(r.t, fmt.Sprint("proven-", i), true))
	}
}

func TestProbesAreAnsweredWhenAllElseIsFull(t *testing.T) {
	c := testConfig(t)
	c.maxUsers, c.maxRequests = 3, 0
	r := start(t, c)
	r.fill(c.maxUsers)
	ada := token(t, "ada", true)
	r.do("GET", "/poll", ada, "").want(t, http.StatusServiceUnavailable, "max_children")
	r.do("POST", "/jobs", ada, `{"kind":"sleep","millis":1}`).want(t, http.StatusServiceUnavailable, "route_short")
	r.do("GET", "/healthz", "", "").want(t, http.StatusOK, "")
	r.do("GET", "/readyz", "", "").want(t, http.StatusOK, "")
}

func TestWhoAsksForHealthIsNoProvenClient(t *testing.T) {
	c := testConfig(t)
	c.maxConns = 10
	r := start(t, c)
	// The last fifth of the connections is kept for clients that have been here with a proven user.
	open := 0
	for i := range 20 {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(i), 2)}}
		conn, err := d.Dial("tcp", r.addr)
		if errors.Is(err, syscall.EADDRNOTAVAIL) {
			t.Skip("this system has one loopback address only")
		} else if err != nil {
			continue
		}
		defer conn.Close()
		fmt.Fprint(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err == nil {
			open++
		}
	}
	if open != 8 {
		t.Errorf("strangers hold %d connections of 10, want 8", open)
	}
}

func TestProbesHaveAnAddressApartFromAllLimits(t *testing.T) {
	c := testConfig(t)
	c.healthAddr, c.connsPerClient = freeAddr(t), 1
	r := start(t, c)
	r.dialRaw() // the only connection that this client may have
	for _, path := range []string{"/healthz", "/readyz"} {
		resp, err := http.Get("http://" + c.healthAddr + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, resp.Status)
		}
	}
	resp, err := http.Get("http://" + c.healthAddr + "/poll")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("more than health is answered there: %s", resp.Status)
	}
	http.DefaultClient.CloseIdleConnections()
}

// freeAddr is an address that nobody listened on a moment ago.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestOneClientHasARate(t *testing.T) {
	c := testConfig(t)
	c.requestRate, c.requestBurst = 1, 3
	r := start(t, c)
	for range 3 {
		r.do("GET", "/healthz", "", "").want(t, http.StatusOK, "")
	}
	// Whatever it says about who it is: nobody in between is trusted.
	req, err := http.NewRequest("GET", "http://"+r.addr+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Forwarded-For", "192.0.2.1")
	resp, err := r.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Headcount-Reason") != "request_rate" {
		t.Errorf("%s %v, want 429 for request_rate", resp.Status, resp.Header)
	}
}

func TestClientsBehindATrustedProxyAreToldApart(t *testing.T) {
	c := testConfig(t)
	c.requestRate, c.requestBurst, c.trustedProxies = 1, 1, "10.0.0.0/8, 127.0.0.1"
	r := start(t, c)
	for _, row := range []struct {
		client string
		status int
	}{{"192.0.2.1", http.StatusOK}, {"192.0.2.2", http.StatusOK}, {"192.0.2.1", http.StatusTooManyRequests}} {
		req, err := http.NewRequest("GET", "http://"+r.addr+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Forwarded-For", row.client)
		resp, err := r.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != row.status {
			t.Errorf("%s: %s, want %d", row.client, resp.Status, row.status)
		}
	}
}

func TestPanicsAndPicturesDoNotHurtOthers(t *testing.T) {
	r := start(t, testConfig(t))
	mallory, ada := token(t, "mallory", false), token(t, "ada", true)
	conn := r.mustWS(ada)
	for i := range 12 {
		restart := []string{"permanent", "transient", "temporary"}[i%3]
		if a := r.do("POST", "/jobs", mallory, `{"kind":"crash","restart":"`+restart+`"}`); a.status != http.StatusAccepted && a.status != http.StatusServiceUnavailable {
			t.Errorf("%d %s", a.status, a.body)
		}
		echo(t, conn, fmt.Sprint("ping ", i))
	}
	if j := r.finished(ada, r.submit(ada, `{"kind":"hash","data":"aGk="}`)); j.State != "done" {
		t.Errorf("another's job: %+v", j)
	}
	in := r.inside()
	if in.Limits["jobs"] != 4 || in.WS != 1 || in.Refused["conns"]["max_children"] != 0 || len(in.Stuck) != 0 {
		t.Errorf("inside: %+v", in)
	}
	if strings.Contains(r.stderr.String(), "gave up") {
		t.Error("a supervisor gave up")
	}
}
