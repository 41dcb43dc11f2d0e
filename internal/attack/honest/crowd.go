// Package honest drives the users for whose sake a service is defended. They ask for something at a constant rate, half
// of them on a new connection each time, and keep a few websockets and event streams open, while somebody else attacks.
//
// The load is open: each request has an intended time that does not depend on how the one before it went, and its
// latency counts from then. A service that stalls for a second is seen by everything that was meant to happen in that
// second, and not by one slow request.
package honest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// Config says who the honest users are.
type Config struct {
	Addr string
	TLS  *tls.Config // nil for HTTP/1 without TLS; otherwise half of the requests are HTTP/2
	// Proxy, if valid, is the address of a proxy that the users come through: it says who they are in a PROXY line.
	Proxy netip.Addr
	// Users is their number. Each has an address in a network of its own.
	Users int
	// PerSecond is how many requests they make together.
	PerSecond int
	// Patience is how long after its intended time a request may be answered. Later it has failed.
	Patience time.Duration
	// Token returns the token of a user, Body the right answer to GET /hello?n=N.
	Token func(user int) string
	Body  func(n string) string
}

// maxUnderWay bounds the requests under way at once. What cannot begin for it has failed.
const maxUnderWay = 512

var (
	errBacklog = errors.New("too many requests unanswered")
	errWrong   = errors.New("wrong answer")
)

// Crowd is the honest users of one service, at work from Join to Leave.
type Crowd struct {
	cfg      Config
	users    []*user
	journal  journal
	streams  streams
	underWay chan struct{}

	stop    context.CancelFunc // ends the schedule
	cutOff  context.CancelFunc // ends everything
	at      sync.WaitGroup     // the schedule
	running sync.WaitGroup     // requests and streams
}

type user struct {
	name  int
	addr  netip.Addr
	kept1 *http.Transport // keeps its connections
	kept2 *http.Transport // the same with HTTP/2; nil without TLS
}

// Join opens the streams and sets the users to work. It fails if a stream cannot be opened.
func Join(ctx context.Context, cfg Config) (*Crowd, error) {
	c := &Crowd{cfg: cfg, underWay: make(chan struct{}, maxUnderWay)}
	lifetime, cutOff := context.WithCancel(ctx)
	scheduling, stop := context.WithCancel(lifetime)
	c.cutOff, c.stop = cutOff, stop
	for i := range cfg.Users {
		u := &user{name: i, addr: netip.AddrFrom4([4]byte{127, 1, byte(i + 1), 1})}
		u.kept1 = c.transport(u, false)
		if cfg.TLS != nil {
			u.kept2 = c.transport(u, true)
		}
		c.users = append(c.users, u)
	}
	if err := c.openStreams(lifetime); err != nil {
		c.Leave()
		return nil, err
	}
	c.at.Go(func() { c.schedule(scheduling, lifetime) })
	return c, nil
}

// Leave stops everything and returns when nothing of the crowd is left. What is under way is abandoned.
func (c *Crowd) Leave() {
	c.stop()
	c.at.Wait()
	c.streams.leaving.Store(true)
	c.cutOff()
	c.running.Wait()
	for _, u := range c.users {
		u.kept1.CloseIdleConnections()
		if u.kept2 != nil {
			u.kept2.CloseIdleConnections()
		}
	}
}

// connsPerUser is what a browser opens to one host.
const connsPerUser = 6

func (c *Crowd) transport(u *user, http2 bool) *http.Transport {
	t := &http.Transport{
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx, u) },
		MaxConnsPerHost:     connsPerUser,
		MaxIdleConnsPerHost: connsPerUser,
		// What was opened while the service was slow is closed again soon, or it would look like something left over.
		IdleConnTimeout: time.Second,
	}
	if c.cfg.TLS != nil {
		t.TLSClientConfig = c.cfg.TLS.Clone()
	}
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(!http2)
	t.Protocols.SetHTTP2(http2)
	return t
}

// dial connects from the address of the user, or through the proxy.
func (c *Crowd) dial(ctx context.Context, u *user) (net.Conn, error) {
	from := u.addr
	if c.cfg.Proxy.IsValid() {
		from = c.cfg.Proxy
	}
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), KeepAlive: -1}
	conn, err := d.DialContext(ctx, "tcp", c.cfg.Addr)
	if err != nil || !c.cfg.Proxy.IsValid() {
		return conn, err
	}
	port := conn.LocalAddr().(*net.TCPAddr).Port
	if _, err := fmt.Fprintf(conn, "PROXY TCP4 %s 127.0.0.1 %d 80\r\n", u.addr, port); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// schedule begins a request at each intended time. When it is late it begins those it has missed at once, each with the
// time that was meant.
func (c *Crowd) schedule(ctx, lifetime context.Context) {
	period := time.Second / time.Duration(c.cfg.PerSecond)
	next := time.Now().Add(period)
	for i := 0; ; i++ {
		if !waitUntil(ctx, next) {
			return
		}
		c.begin(lifetime, i, next)
		next = next.Add(period)
	}
}

func waitUntil(ctx context.Context, t time.Time) bool {
	d := time.Until(t)
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *Crowd) begin(lifetime context.Context, i int, intended time.Time) {
	begun, done := c.journal.plan(intended)
	select {
	case c.underWay <- struct{}{}:
	default:
		done(errBacklog)
		return
	}
	c.running.Go(func() {
		defer func() { <-c.underWay }()
		begun()
		ctx, cancel := context.WithDeadline(lifetime, intended.Add(c.cfg.Patience))
		defer cancel()
		done(c.request(ctx, i))
	})
}

// request makes the i-th request. Users take turns; in each round of them all the way to ask is another one.
func (c *Crowd) request(ctx context.Context, i int) error {
	u := c.users[i%len(c.users)]
	round := i / len(c.users)
	onNew := round%2 == 1
	http2 := c.cfg.TLS != nil && round/2%2 == 1

	transport := u.kept1
	if http2 {
		transport = u.kept2
	}
	if onNew {
		transport = c.transport(u, http2)
		defer transport.CloseIdleConnections()
	}
	n := fmt.Sprint(i)
	resp, err := c.get(ctx, transport, u, "/hello?n="+n)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	switch {
	case err != nil:
		return err
	case resp.StatusCode != http.StatusOK:
		return statusError(resp.StatusCode)
	case string(body) != c.cfg.Body(n):
		return errWrong
	}
	return nil
}

func (c *Crowd) get(ctx context.Context, transport *http.Transport, u *user, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url("http")+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.cfg.Token(u.name))
	return transport.RoundTrip(req)
}

func (c *Crowd) url(scheme string) string {
	if c.cfg.TLS != nil {
		scheme += "s"
	}
	return scheme + "://" + c.cfg.Addr
}
