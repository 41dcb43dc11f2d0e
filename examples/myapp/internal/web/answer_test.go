package web

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
	"github.com/headcount-go/headcount/examples/myapp/internal/store"
	"github.com/headcount-go/headcount/examples/myapp/internal/users"
)

func TestErrorsAreDescribedToClients(t *testing.T) {
	refusal := func(r headcount.Reason) error { return &headcount.Refusal{Path: "myapp/users", Reason: r, Limit: 1} }
	for _, row := range []struct {
		err    error
		status int
		reason string
	}{
		{refusal(headcount.ReasonMaxPerKey), http.StatusTooManyRequests, "max_per_key"},
		{refusal(headcount.ReasonMaxChildren), http.StatusServiceUnavailable, "max_children"},
		{refusal(headcount.ReasonPriority), http.StatusServiceUnavailable, "priority"},
		{refusal(headcount.ReasonWaitTimeout), http.StatusServiceUnavailable, "wait_timeout"},
		{&headcount.StartError{Path: "myapp/workers/1", Err: store.ErrUserFull}, http.StatusTooManyRequests, "store_full_for_user"},
		{fmt.Errorf("myapp/users: %w", headcount.ErrStopped), http.StatusServiceUnavailable, "stopping"},
		{fmt.Errorf("myapp/requests: %w", headcount.ErrMaxBytes), http.StatusServiceUnavailable, "max_bytes"},
		{users.ErrQueueFull, http.StatusTooManyRequests, "user_queue_full"},
		{auth.ErrExpired, http.StatusUnauthorized, "expired_token"},
		{&http.MaxBytesError{Limit: 1}, http.StatusRequestEntityTooLarge, "too_big"},
	} {
		if p := describe(row.err); p == nil || p.status != row.status || p.reason != row.reason {
			t.Errorf("%v: %+v, want %d %s", row.err, p, row.status, row.reason)
		}
	}
	if p := describe(errors.New("a secret of ours")); p != nil {
		t.Errorf("an unknown error is told as %+v", p)
	}
}
