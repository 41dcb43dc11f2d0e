package web

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
	"github.com/headcount-go/headcount/examples/myapp/internal/jobs"
	"github.com/headcount-go/headcount/examples/myapp/internal/store"
)

func (s *Server) postJob(ctx context.Context, w http.ResponseWriter, r *http.Request, who auth.Claims) error {
	body, err := s.openBody(ctx, r)
	if err != nil {
		return err
	}
	req, err := jobs.Parse(body, s.Jobs.Limits())
	if err != nil {
		return err
	}
	// A client that hangs up must not leave a job half handed in. The wait is bounded without its context too.
	id, err := s.Jobs.Submit(context.WithoutCancel(ctx), who.User, who.Proven, req)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/jobs/"+id)
	s.answer(w, http.StatusAccepted, map[string]string{"id": id})
	return nil
}

// jobAnswer is a job as its user sees it.
type jobAnswer struct {
	ID     string          `json:"id"`
	Kind   string          `json:"kind"`
	State  store.State     `json:"state"`
	Tries  int             `json:"tries"`
	Result json.RawMessage `json:"result,omitempty"`
	Error  string          `json:"error,omitempty"`
}

func (s *Server) getJob(_ context.Context, w http.ResponseWriter, r *http.Request, who auth.Claims) error {
	job, err := s.Store.Get(r.PathValue("id"))
	switch {
	case err != nil:
		return err
	case job.User != who.User:
		return &problem{http.StatusForbidden, "not_yours", "this job is another user's"}
	}
	s.answer(w, http.StatusOK, jobAnswer{job.ID, job.Kind, job.State, job.Tries, job.Result, job.Error})
	return nil
}

// openBody accounts for the body before a byte of it is read: many bodies at once are memory too. Twice its size, for the
// text and for what is decoded from it. That it is not longer than it may be is the endpoint's business.
func (s *Server) openBody(ctx context.Context, r *http.Request) (io.Reader, error) {
	size := r.ContentLength
	if size < 0 {
		size = s.Limits.Body // it will tell at its end
	}
	if err := headcount.Charge(ctx, 2*size); err != nil {
		return nil, err
	}
	return r.Body, nil
}
