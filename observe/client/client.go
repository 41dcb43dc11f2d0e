// Package client asks a running program for its supervisors and changes their limits, over the admin API of package
// observe. It imports the standard library only.
//
//	c, err := client.New("http://127.0.0.1:7070", client.Config{})
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	tree, err := c.Tree(ctx)
//
// What the API answers with an error is a [*wire.Problem]. Where no program can be reached it is a [*ConnectError], where
// something else answers a [*NotAPIError]. What is in an answer is told by the other side and not trusted: sizes are
// bounded, and who shows text of it on a terminal has to escape it.
package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/wire"
)

// A Config is how to come in. The zero value is for a page on a loopback address without authentication.
type Config struct {
	Token string      // the secret of a token of the page; "" is none
	TLS   *tls.Config // for https: whom to trust, and a client certificate. nil is the system's
}

// A Client asks one program. All methods may be called from many goroutines.
type Client struct {
	address string // for people
	base    string // ends with /api/v1/
	token   string
	http    *http.Client
}

const (
	apiPath   = "/api/v1/"
	within    = 30 * time.Second // for a whole answer; the stream has none
	maxAnswer = 64 << 20         // bytes of an answer, or of an event of the stream
)

// New makes a client of the page at an address: http://host:port or https://host:port with the prefix that the page is
// mounted under, host:port alone, which is http, or unix:/path of a socket. It does not connect.
func New(address string, cfg Config) (*Client, error) {
	wrong := func(format string, args ...any) (*Client, error) {
		return nil, fmt.Errorf("the address %q %s", address, fmt.Sprintf(format, args...))
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = cfg.TLS
	full := address
	if socket, ok := strings.CutPrefix(address, "unix:"); ok {
		if socket == "" {
			return wrong("names no socket")
		}
		full = "http://localhost"
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}
	} else if !strings.Contains(address, "://") {
		full = "http://" + address
	}
	u, err := url.Parse(full)
	switch {
	case err != nil:
		return wrong("cannot be read: %v", errors.Unwrap(err))
	case u.Scheme != "http" && u.Scheme != "https":
		return wrong("begins with %s; it must be http:// or https://", u.Scheme)
	case u.Host == "":
		return wrong("has no host")
	case u.User != nil:
		return nil, errors.New("the address has a password in it, which others could read; give the token by itself")
	case u.RawQuery != "" || u.Fragment != "":
		return wrong("has more than a host and a path")
	}
	prefix := strings.TrimRight(u.Path, "/")
	prefix = strings.TrimRight(strings.TrimSuffix(prefix, strings.TrimRight(apiPath, "/")), "/")
	c := &Client{address: address, base: u.Scheme + "://" + u.Host + (&url.URL{Path: prefix + apiPath}).EscapedPath(), token: cfg.Token}
	c.http = &http.Client{
		Transport: transport,
		// A login page that a proxy leads to is not the API, and must not get the token.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// Close closes connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Address is the address that the client was made with.
func (c *Client) Address() string { return c.address }

// A ConnectError says that no program can be reached.
type ConnectError struct {
	Address string
	Err     error
}

func (e *ConnectError) Error() string { return fmt.Sprintf("cannot reach %s: %v", e.Address, e.Err) }

// Unwrap gives the error of the network.
func (e *ConnectError) Unwrap() error { return e.Err }

// A NotAPIError says that something else than the admin API answers at an address.
type NotAPIError struct {
	Address string
	Status  int    // of the answer
	Reason  string // how it is to be seen
}

func (e *NotAPIError) Error() string {
	return fmt.Sprintf("%s is not the admin API of a Headcount program: %s", e.Address, e.Reason)
}

func (c *Client) notAPI(status int, format string, args ...any) error {
	return &NotAPIError{c.address, status, plain.Cut(fmt.Sprintf(format, args...), 500)}
}

// request makes a request; body nil is a GET.
func (c *Client) request(ctx context.Context, operation string, query url.Values, body any) (*http.Request, error) {
	at := c.base + operation
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	method, content := http.MethodGet, io.Reader(nil)
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		method, content = http.MethodPost, bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, at, content)
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	r.Header.Set("User-Agent", "headcount")
	return r, nil
}

// send sends a request and gives its answer, if it is one of the API and is of this kind.
func (c *Client) send(r *http.Request, kind string) (*http.Response, error) {
	answer, err := c.http.Do(r)
	if err != nil {
		if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, &ConnectError{c.address, cmp.Or(context.Cause(r.Context()), err)}
	}
	got, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	if answer.StatusCode == http.StatusOK && got == kind {
		return answer, nil
	}
	defer answer.Body.Close()
	if got == "application/problem+json" {
		p := &wire.Problem{}
		if json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(p) == nil && strings.HasPrefix(p.Type, "urn:headcount:problem:") {
			p.Status = answer.StatusCode
			return nil, p
		}
	}
	reason := "it answered " + answer.Status
	switch {
	case answer.Header.Get("Location") != "":
		reason += ", which leads to " + answer.Header.Get("Location")
	case answer.StatusCode == http.StatusOK:
		reason += fmt.Sprintf(" with %q", answer.Header.Get("Content-Type"))
	case answer.StatusCode == http.StatusBadRequest && r.URL.Scheme == "http":
		if start, _ := io.ReadAll(io.LimitReader(answer.Body, 200)); bytes.Contains(start, []byte("HTTPS server")) {
			reason = "it speaks TLS; use https://"
		}
	}
	return nil, c.notAPI(answer.StatusCode, "%s", reason)
}

// ask makes a request and reads its answer.
func ask[T any](ctx context.Context, c *Client, operation string, query url.Values, body any) (*T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("no answer within %v", within))
	defer cancel()
	r, err := c.request(ctx, operation, query, body)
	if err != nil {
		return nil, err
	}
	answer, err := c.send(r, "application/json")
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, &ConnectError{c.address, cmp.Or(context.Cause(ctx), err)}
	case len(text) > maxAnswer:
		return nil, c.notAPI(answer.StatusCode, "its answer has more than %d bytes", maxAnswer)
	}
	v := new(T)
	if err := json.Unmarshal(text, v); err != nil {
		return nil, c.notAPI(answer.StatusCode, "its answer cannot be read: %v", err)
	}
	return v, nil
}
