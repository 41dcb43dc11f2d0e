package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
	"github.com/headcount-go/headcount/examples/myapp/internal/jobs"
	"github.com/headcount-go/headcount/examples/myapp/internal/store"
	"github.com/headcount-go/headcount/examples/myapp/internal/strict"
	"github.com/headcount-go/headcount/examples/myapp/internal/users"
)

// problem is an error as a client sees it. Reason is a word for programs.
type problem struct {
	status int
	reason string
	text   string
}

func (p *problem) Error() string { return p.text }

// sentinels are the errors that need no look inside.
var sentinels = []struct {
	err    error
	status int
	reason string
}{
	{headcount.ErrStopped, http.StatusServiceUnavailable, "stopping"},
	{headcount.ErrNotRunning, http.StatusServiceUnavailable, "stopping"},
	{headcount.ErrMaxBytes, http.StatusServiceUnavailable, "max_bytes"},
	{headcount.ErrNotReady, http.StatusServiceUnavailable, "store_slow"},
	{store.ErrClosed, http.StatusServiceUnavailable, "stopping"},
	{store.ErrFull, http.StatusServiceUnavailable, "store_full"},
	{store.ErrUserFull, http.StatusTooManyRequests, "store_full_for_user"},
	{store.ErrNotFound, http.StatusNotFound, "not_found"},
	{users.ErrQueueFull, http.StatusTooManyRequests, "user_queue_full"},
	{users.ErrClosed, http.StatusServiceUnavailable, "stopping"},
	{os.ErrDeadlineExceeded, http.StatusRequestTimeout, "slow_body"},
	{io.ErrUnexpectedEOF, http.StatusBadRequest, "cut_body"},
	{context.Canceled, http.StatusServiceUnavailable, "stopping"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "too_slow"},
}

// describe says how err is answered; nil if it is a fault of ours that is nobody else's business.
func describe(err error) *problem {
	var (
		own     *problem
		refusal *headcount.Refusal
		token   *auth.Problem
		job     *jobs.Problem
		syntax  *strict.Problem
		tooBig  *http.MaxBytesError
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &refusal):
		status := http.StatusServiceUnavailable // we are full
		if refusal.Reason == headcount.ReasonMaxPerKey {
			status = http.StatusTooManyRequests // you have enough
		}
		return &problem{status, refusal.Reason.String(), refusal.Error()}
	case errors.As(err, &token):
		return &problem{http.StatusUnauthorized, token.Reason, token.Error()}
	case errors.As(err, &job) && job.Reason == jobs.NotAllowed:
		return &problem{http.StatusForbidden, job.Reason, job.Text}
	case errors.As(err, &job):
		return &problem{http.StatusBadRequest, job.Reason, job.Text}
	case errors.As(err, &syntax):
		return &problem{http.StatusBadRequest, "bad_json", syntax.Error()}
	case errors.As(err, &tooBig):
		return &problem{http.StatusRequestEntityTooLarge, "too_big", "the body is longer than " + strconv.FormatInt(tooBig.Limit, 10) + " bytes"}
	}
	for _, known := range sentinels {
		if errors.Is(err, known.err) {
			return &problem{known.status, known.reason, err.Error()}
		}
	}
	return nil
}

// fail answers an error. Who sends slowly what nobody will read does not get to hold us by it: the endpoint sees to that.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := describe(err)
	if p == nil {
		p = &problem{http.StatusInternalServerError, "internal", "something went wrong here"}
		s.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	header := w.Header()
	switch p.status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		header.Set("Retry-After", strconv.Itoa(1+rand.IntN(3))) // spread, so that they do not all come back at once
	}
	s.answer(w, p.status, map[string]string{"error": p.text, "reason": p.reason})
}

// answer writes JSON.
func (s *Server) answer(w http.ResponseWriter, status int, body any) {
	raw, err := json.Marshal(body)
	if err != nil {
		panic(err) // our own types: the caller is at fault
	}
	s.writeWithin(w)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(append(raw, '\n')) // who does not take the answer does not want it
}

// writeWithin bounds what is written next; to hold the client to a rate only would let it hold a long answer for long. It
// fails only where there is no connection, as in a test of a handler.
func (s *Server) writeWithin(w http.ResponseWriter) {
	if d := s.Limits.WriteWithin; d > 0 {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(d))
	}
}
