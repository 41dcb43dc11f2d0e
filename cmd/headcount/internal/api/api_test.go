package api_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func serve(t *testing.T, h http.HandlerFunc) *api.Client {
	t.Helper()
	server := httptest.NewServer(h)
	client := api.New(server.Listener.Addr().String(), 2)
	t.Cleanup(func() { client.Close(); server.Close() })
	return client
}

func TestRefusalKeepsItsReason(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTooManyRequests)
		io.WriteString(w, `{"error":"this user has enough","reason":"max_per_key"}`)
	})
	_, err := client.PostJob(t.Context(), "token", api.Job{Kind: "sleep"})
	if !api.Refused(err) || api.Reason(err) != "max_per_key" {
		t.Errorf("error %v, refused %v, reason %q", err, api.Refused(err), api.Reason(err))
	}
}

func TestCallsCarryTheToken(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer abc" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		io.WriteString(w, `{"id":"7"}`)
	})
	if id, err := client.PostJob(t.Context(), "abc", api.Job{}); id != "7" || err != nil {
		t.Errorf("id %q, error %v, want 7", id, err)
	}
	if _, err := client.PostJob(t.Context(), "abd", api.Job{}); api.Refused(err) || api.Reason(err) != "status_401" {
		t.Errorf("error %v, want a 401 that is not a refusal", err)
	}
}

func TestAnAnswerWithoutEndIsCut(t *testing.T) {
	client := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		io.Copy(w, io.LimitReader(endless{}, 8<<20))
	})
	if _, err := client.Inside(t.Context()); err == nil {
		t.Error("eight mebibytes of spaces were taken for counts")
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	copy(p, strings.Repeat(" ", len(p)))
	return len(p), nil
}

func TestReasonsAreFew(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, ""},
		{api.NewStatusError(&http.Response{StatusCode: 429, Header: http.Header{api.ReasonHeader: {"request_rate"}}}, []byte("request_rate\n")), "request_rate"},
		{api.NewStatusError(&http.Response{StatusCode: 503}, []byte(`{"reason":"queue_full"}`)), "queue_full"},
		{fmt.Errorf("wrapped: %w", api.NewStatusError(&http.Response{StatusCode: 500}, []byte("oops"))), "status_500"},
		{fmt.Errorf("wrapped: %w", context.DeadlineExceeded), "timeout"},
		{context.Canceled, "cancelled"},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, "connection_refused"},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, "connection_closed"},
		{io.EOF, "connection_closed"},
		{fmt.Errorf("anything"), "other"},
	} {
		if got := api.Reason(c.err); got != c.want {
			t.Errorf("Reason(%v) = %q, want %q", c.err, got, c.want)
		}
	}
}

func TestRefusedSinceIsTheDifference(t *testing.T) {
	before := api.Inside{Refused: map[string]map[string]int{"users": {"max_children": 3, "priority": 2}}}
	after := api.Inside{Refused: map[string]map[string]int{"users": {"max_children": 10, "priority": 2}, "workers": {"queue_full": 1}}}
	got := after.RefusedSince(before)
	if len(got) != 2 || got["users: max_children"] != 7 || got["workers: queue_full"] != 1 {
		t.Errorf("got %v, want 7 of users and 1 of workers", got)
	}
}

func TestAClosedServerIsAConnectionRefused(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	client := api.New(server.Listener.Addr().String(), 1)
	server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if err := client.Ready(ctx); api.Reason(err) != "connection_refused" {
		t.Errorf("reason %q of %v", api.Reason(err), err)
	}
}
