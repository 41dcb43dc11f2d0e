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

// What stays: see Server.route.
const (
	wsPath     = "/ws"
	eventsPath = "/events"
	pollPath   = "/poll"
)

// routes is the whole interface.
func (s *Server) routes() http.Handler {
	mux := s.healthRoutes()
	mux.Handle("POST /jobs", s.request(s.postJob))
	mux.Handle("GET /jobs/{id}", s.request(s.getJob))
	mux.Handle("POST /messages", s.request(s.postMessage))
	mux.Handle("GET "+wsPath, s.session("ws", s.websocket))
	mux.Handle("GET "+eventsPath, s.session("events", s.events))
	mux.Handle("GET "+pollPath, s.session("poll", s.poll))
	if s.Chaos {
		mux.HandleFunc("GET "+insidePath, s.debugInside)
	}
	return mux
}

// healthRoutes is what the machine that runs us asks for.
func (s *Server) healthRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+healthPath, s.healthz)
	mux.HandleFunc("GET "+readyPath, s.readyz)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &problem{http.StatusNotFound, "not_found", "there is nothing here"})
	})
	return mux
}

// A handler serves a signed-in user. The error that it returns is answered, so none may be returned once an answer has
// begun. ctx is that of the child that it runs in.
type handler func(ctx context.Context, w http.ResponseWriter, r *http.Request, who auth.Claims) error

// request serves h in the child that the endpoint has made for the request.
func (s *Server) request(h handler) http.Handler {
	return s.signedIn(func(w http.ResponseWriter, r *http.Request, who auth.Claims) error {
		s.Counts.Requests.Enter()
		defer s.Counts.Requests.Leave()
		return h(r.Context(), w, r, who)
	})
}

// session serves h as a child of the user's as well, for as long as it takes. It ends with the request: when the client
// goes, or when the endpoint stops.
func (s *Server) session(name string, h handler) http.Handler {
	return s.signedIn(func(w http.ResponseWriter, r *http.Request, who auth.Claims) error {
		if r.ContentLength != 0 {
			return &problem{http.StatusBadRequest, "bad_request", "a body has no meaning here"}
		}
		err := s.Users.Session(r.Context(), who, name, func(ctx context.Context) error {
			if err := h(ctx, w, r, who); err != nil {
				s.fail(w, r, err) // to the supervisor, a wrong request is not a failed child
			}
			return nil
		})
		var panicked *headcount.PanicError
		if errors.As(err, &panicked) {
			panic(panicked.Value) // told of by the supervisor, with its stack; the endpoint knows what the client must be told
		}
		return err
	})
}

// signedIn checks who asks, and answers the error of serve.
func (s *Server) signedIn(serve func(w http.ResponseWriter, r *http.Request, who auth.Claims) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := s.signIn(r)
		if err == nil {
			err = serve(w, r, who)
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

// signIn is called more than once for a request: by the endpoint, which must know whose it is, and here. The signer
// verifies a token once.
func (s *Server) signIn(r *http.Request) (auth.Claims, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return auth.Claims{}, auth.ErrMissing
	}
	return s.Signer.Verify(strings.TrimSpace(token), time.Now())
}
