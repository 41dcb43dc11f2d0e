// Package api speaks the HTTP interface of the example application, for honest users and attackers alike.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxAnswer bounds what is read of an answer, so that a sick server cannot fill the memory of the one who measures it.
const maxAnswer = 1 << 20

// Client calls one running application. It is safe for concurrent use.
type Client struct {
	// Addr is the "host:port" of the application.
	Addr string
	http *http.Client
}

// New returns a client that holds at most conns connections to addr. More calls than that wait for a connection, and
// their waiting is part of whatever latency is measured around them.
func New(addr string, conns int) *Client { return NewFrom(nil, addr, conns) }

// NewFrom returns a client whose connections come from an address of its own, nil for any.
func NewFrom(from net.Addr, addr string, conns int) *Client {
	return &Client{
		Addr: addr,
		http: &http.Client{Transport: &http.Transport{
			Proxy:               nil, // loopback only: a proxy of the environment must never see this
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second, LocalAddr: from}).DialContext,
			MaxConnsPerHost:     conns,
			MaxIdleConnsPerHost: conns,
			IdleConnTimeout:     30 * time.Second,
			DisableCompression:  true,
		}},
	}
}

// Close closes the idle connections. Calls in flight are not touched.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Job is the body of POST /jobs.
type Job struct {
	Kind    string `json:"kind"`
	Data    []byte `json:"data,omitempty"` // base64 on the wire
	Width   int    `json:"width,omitempty"`
	Millis  int    `json:"millis,omitempty"`
	Restart string `json:"restart,omitempty"`
}

// PostJob hands in a job and returns its id.
func (c *Client) PostJob(ctx context.Context, token string, job Job) (id string, err error) {
	var accepted struct {
		ID string `json:"id"`
	}
	err = c.call(ctx, http.MethodPost, "/jobs", token, job, &accepted)
	return accepted.ID, err
}

// JobState returns the state of a job: queued, running, done or failed.
func (c *Client) JobState(ctx context.Context, token, id string) (string, error) {
	var job struct {
		State string `json:"state"`
	}
	err := c.call(ctx, http.MethodGet, "/jobs/"+url.PathEscape(id), token, nil, &job)
	return job.State, err
}

// PostMessage puts text into the queue of a user.
func (c *Client) PostMessage(ctx context.Context, token, to, text string) error {
	return c.call(ctx, http.MethodPost, "/messages", token, map[string]string{"to": to, "text": text}, nil)
}

// Poll waits up to wait, in whole seconds, for messages of the token's user. Each is returned as the app wrote it.
func (c *Client) Poll(ctx context.Context, token string, wait time.Duration) ([]json.RawMessage, error) {
	var got struct {
		Messages []json.RawMessage `json:"messages"`
	}
	path := "/poll?wait=" + strconv.Itoa(max(1, int(wait/time.Second)))
	err := c.call(ctx, http.MethodGet, path, token, nil, &got)
	return got.Messages, err
}

// Ready reports whether the application says that it takes work.
func (c *Client) Ready(ctx context.Context) error {
	return c.call(ctx, http.MethodGet, "/readyz", "", nil, nil)
}

// call does one request with a JSON body, if any, and decodes a JSON answer, if wanted. An answer that is not 2xx is a
// *StatusError.
func (c *Client) call(ctx context.Context, method, path, token string, in, out any) error {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode the body of %s %s: %w", method, path, err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+c.Addr+path, body)
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return NewStatusError(resp, answer)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s answered %d with something else than JSON: %w", method, path, resp.StatusCode, err)
	}
	return nil
}

// StatusError is an answer of the application that is not 2xx.
type StatusError struct {
	Code   int
	Reason string // why it was refused, "" if the app did not say
	Text   string // the first words of the answer, for people
}

func (e *StatusError) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("status %d: %s", e.Code, e.Reason)
	}
	return fmt.Sprintf("status %d: %s", e.Code, e.Text)
}

// ReasonHeader has the reason of a refusal that was made in front of the application's handlers.
const ReasonHeader = "Headcount-Reason"

// NewStatusError reads the reason out of an answer: the application's JSON, or a header.
func NewStatusError(resp *http.Response, answer []byte) *StatusError {
	var body struct {
		Error  string `json:"error"`
		Reason string `json:"reason"`
	}
	e := &StatusError{Code: resp.StatusCode, Reason: resp.Header.Get(ReasonHeader)}
	if json.Unmarshal(answer, &body) == nil {
		e.Reason, e.Text = body.Reason, body.Error
	} else {
		e.Text = string(answer[:min(len(answer), 80)])
	}
	return e
}

// Lost reports whether err says that the connection was there and is gone.
func Lost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isConnectionLost(err)
}

// Refused reports whether err is an answer that refuses work, 429 or 503.
func Refused(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && (status.Code == http.StatusTooManyRequests || status.Code == http.StatusServiceUnavailable)
}

// Reason puts err into one of few words, so that failures can be counted by them: the refusal's reason or status, or
// what happened to the connection.
func Reason(err error) string {
	var status *StatusError
	var timeout net.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &status):
		if status.Reason != "" {
			return status.Reason
		}
		return "status_" + strconv.Itoa(status.Code)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case isConnectionRefused(err):
		return "connection_refused"
	case Lost(err):
		return "connection_closed"
	default:
		return "other"
	}
}
