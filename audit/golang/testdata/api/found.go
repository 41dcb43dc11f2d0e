// Package main takes orders: what HC102 and HC103 have to find of requests and websockets.
package main

import (
	"context"
	"net/http"
	"sync"

	"example.com/api/orderpb"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
	"google.golang.org/grpc"
)

type server struct {
	orderpb.UnimplementedOrdersServer
	mail     mailer
	upgrader websocket.Upgrader
}

type mailer interface{ send(to string) }

type smtp struct{}

func (smtp) send(to string) {}

// Fire and forget.
func (s *server) order(w http.ResponseWriter, r *http.Request) {
	to := r.FormValue("mail")
	go s.mail.send(to) // want HC102 high
	w.WriteHeader(http.StatusAccepted)
}

// One call below the handler.
func (s *server) cancel(w http.ResponseWriter, r *http.Request) {
	s.audit(r.URL.Path)
}

func (s *server) audit(path string) {
	go func() { // want HC102 high
		s.mail.send(path)
	}()
}

// A handler that a function returns, as middleware does.
func (s *server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r)
		go s.mail.send(r.URL.Path) // want HC102 high
	})
}

func (s *server) fromGin(c *gin.Context) {
	go s.mail.send(c.Query("mail")) // want HC102 high
}

// A wrapper that starts what it is given is not the place; its callers are.
func (s *server) background(f func()) {
	go func() {
		defer func() { recover() }()
		f()
	}()
}

func (s *server) refund(w http.ResponseWriter, r *http.Request) {
	s.background(func() { s.mail.send("refunds") }) // want HC102 high
}

// Each function only passes on what it is given; the goroutine is its caller's.
func (s *server) safely(f func()) { s.background(f) }

func (s *server) restock(w http.ResponseWriter, r *http.Request) {
	s.safely(func() { s.mail.send("stock") }) // want HC102 high
}

// A callback is no task: the goroutine is that of the function which is told what to call.
func (s *server) report(done func(name string)) {
	go func() { // want HC102 high
		done("report")
	}()
}

func (s *server) reports(w http.ResponseWriter, r *http.Request) {
	s.report(s.mail.send)
}

// One for each session, which nobody counts.
func (s *server) session(w http.ResponseWriter, r *http.Request) {
	c := &client{stop: make(chan struct{})}
	go c.run()          // want HC102 high
	s.background(c.run) // want HC102 high
}

type client struct{ stop chan struct{} }

func (c *client) run() {}

// What is handed the context of the request most likely ends with it.
func (s *server) notify(w http.ResponseWriter, r *http.Request) {
	go s.deliver(r.Context()) // want HC102 medium
}

func (s *server) deliver(ctx context.Context) { s.mail.send("all") }

// What was waited for is not what is started then.
func (s *server) afterwards(w http.ResponseWriter, r *http.Request) {
	var wg sync.WaitGroup
	wg.Go(func() { s.mail.send("first") })
	wg.Wait()
	go s.mail.send("second") // want HC102 high
}

// What writes to a connection that the handler closes ends then.
func (s *server) padded(w http.ResponseWriter, r *http.Request) {
	c, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	go func() { // want HC102 low
		for c.WriteMessage(1, nil) == nil {
			s.mail.send("padding")
		}
	}()
	s.mail.send("something")
	c.Close()
}

// A stop channel belongs to the value, which somebody may stop.
func (s *server) follow(w http.ResponseWriter, r *http.Request) {
	newFollower()
}

type follower struct{ stop chan struct{} }

func newFollower() *follower {
	f := &follower{stop: make(chan struct{})}
	go func() { // want HC102 medium
		<-f.stop
	}()
	return f
}

// To close something is soon done.
func (s *server) hangUp(w http.ResponseWriter, r *http.Request) {
	c, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	go c.Close() // want HC102 low
}

// Somebody in the request takes the result.
func (s *server) kept(w http.ResponseWriter, r *http.Request) {
	result := make(chan string, 1)
	go func() { // want HC102 low
		result <- "done"
	}()
	s.keepAlive(w, result)
}

func (s *server) keepAlive(w http.ResponseWriter, result <-chan string) {
	w.Write([]byte(<-result))
}

func (s *server) Place(ctx context.Context, o *orderpb.Order) (*orderpb.Receipt, error) {
	go s.mail.send("orders") // want HC102 high
	for _, line := range o.Lines {
		go s.mail.send(line) // want HC101 high
	}
	return &orderpb.Receipt{}, nil
}

func (s *server) Follow(stream orderpb.OrdersFollowServer) error {
	for {
		o, err := stream.Recv()
		if err != nil {
			return err
		}
		go s.mail.send(o.Lines[0]) // want HC103 high
	}
}

func (s *server) chat(w http.ResponseWriter, r *http.Request) {
	c, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		_, text, err := c.ReadMessage()
		if err != nil {
			return
		}
		go s.mail.send(string(text)) // want HC103 high
	}
}

// What a message may do is started in a function that the loop calls.
func (s *server) commands(w http.ResponseWriter, r *http.Request) {
	c, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	for {
		var cmd struct{ Name string }
		if err := c.ReadJSON(&cmd); err != nil {
			return
		}
		s.dispatch(cmd.Name)
	}
}

func (s *server) dispatch(name string) {
	switch name {
	case "mail":
		go s.mail.send("somebody") // want HC103 high
	}
}

// A tie to the context of the request makes it less likely to matter.
func (s *server) watched(w http.ResponseWriter, r *http.Request) {
	go func() { // want HC102 low
		<-r.Context().Done()
		s.mail.send("gone")
	}()
	s.mail.send("there")
}

func main() {
	s := &server{mail: smtp{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", s.order)
	mux.HandleFunc("/cancel", s.cancel)
	mux.HandleFunc("/refund", s.refund)
	mux.HandleFunc("/restock", s.restock)
	mux.HandleFunc("/session", s.session)
	mux.HandleFunc("/reports", s.reports)
	mux.HandleFunc("/notify", s.notify)
	mux.HandleFunc("/follow", s.follow)
	mux.HandleFunc("/padded", s.padded)
	mux.HandleFunc("/afterwards", s.afterwards)
	mux.HandleFunc("/hangup", s.hangUp)
	mux.HandleFunc("/kept", s.kept)
	mux.HandleFunc("/chat", s.chat)
	mux.HandleFunc("/commands", s.commands)
	mux.HandleFunc("/watched", s.watched)
	gin.Default().POST("/gin", s.fromGin)
	orderpb.RegisterOrdersServer(grpc.NewServer(), s)
	quiet(mux, s)
	http.ListenAndServe(":8080", s.logged(mux))
}
