package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
)

// routes is the whole interface. What does not sign in is not counted as a request in flight either: who asks whether
// the service lives must get an answer above all when it is full. The limit of connections bounds those.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST /jobs", s.request(s.postJob))
	mux.Handle("GET /jobs/{id}", s.request(s.getJob))
	mux.Handle("POST /messages", s.request(s.postMessage))
	mux.Handle("GET /ws", s.session("ws", s.websocket))
	mux.Handle("GET /events", s.session("events", s.events))
	mux.Handle("GET /poll", s.session("poll", s.poll))
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	if s.Chaos {
		mux.HandleFunc("GET /debug/inside", s.debugInside)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &problem{http.StatusNotFound, "not_found", "there is nothing here"})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			// From the first moment, since the server reads bodies by itself too, to get at the next request.
			s.readWithin(w, s.Limits.BodyWithin)
			r.Body = &watchedBody{ReadCloser: r.Body}
		}
		mux.ServeHTTP(w, r)
	})
}

// A handler serves a signed-in user. The error that it returns is answered, unless an answer has begun.
type handler func(ctx context.Context, w *watchedWriter, r *http.Request, who auth.Claims) error

// request serves h as a child of requests.
func (s *Server) request(h handler) http.Handler {
	return s.signedIn(func(_ context.Context, w *watchedWriter, r *http.Request, who auth.Claims) error {
		return s.Requests.Do(r.Context(), func(ctx context.Context) error {
			s.Counts.Requests.Enter()
			defer s.Counts.Requests.Leave()
			s.serve(ctx, w, r, who, h)
			return nil
		}, headcount.InClass(s.Class(who.Proven)))
	})
}

// session serves h as a child of the user's, for as long as it takes. It also ends when the server stops.
func (s *Server) session(name string, h handler) http.Handler {
	return s.signedIn(func(_ context.Context, w *watchedWriter, r *http.Request, who auth.Claims) error {
		if r.ContentLength != 0 {
			return &problem{http.StatusBadRequest, "bad_request", "a body has no meaning here"}
		}
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		if streams, ok := ctx.Value(streamsKey{}).(context.Context); ok {
			defer context.AfterFunc(streams, cancel)()
		}
		return s.Users.Session(ctx, who, name, func(ctx context.Context) error {
			s.serve(ctx, w, r, who, h)
			return nil
		})
	})
}

// signedIn checks who asks, and answers what comes back from start: a refusal, or a panic in the child.
func (s *Server) signedIn(start handler) http.Handler {
	return http.HandlerFunc(func(plain http.ResponseWriter, r *http.Request) {
		w := &watchedWriter{ResponseWriter: plain}
		who, err := s.signIn(r)
		if err == nil {
			err = start(r.Context(), w, r, who)
		}
		if err == nil {
			return
		}
		var panicked *headcount.PanicError
		if errors.As(err, &panicked) {
			s.Log.Error("panic in a request", "method", r.Method, "path", r.URL.Path, "panic", panicked.Value, "stack", string(panicked.Stack))
		}
		if w.begun {
			panic(http.ErrAbortHandler) // the client must not take a cut answer for a whole one
		}
		s.fail(w, r, err)
	})
}

// serve runs h within its child and answers its error there. To the supervisor, a wrong request is not a failed child.
func (s *Server) serve(ctx context.Context, w *watchedWriter, r *http.Request, who auth.Claims, h handler) {
	if err := h(ctx, w, r, who); err != nil && !w.begun {
		s.fail(w, r, err)
	}
}

func (s *Server) signIn(r *http.Request) (auth.Claims, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return auth.Claims{}, auth.ErrMissing
	}
	return s.Signer.Verify(strings.TrimSpace(token), time.Now())
}

// watchedWriter knows whether an answer has begun.
type watchedWriter struct {
	http.ResponseWriter
	begun bool
}

func (w *watchedWriter) WriteHeader(code int) {
	w.begun = true
	w.ResponseWriter.WriteHeader(code)
}

func (w *watchedWriter) Write(p []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(p)
}

// Unwrap gives http.ResponseController and the websocket their way to the connection.
func (w *watchedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
