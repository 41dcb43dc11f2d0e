package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/headcount-go/headcount/endpoint"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
	"github.com/headcount-go/headcount/examples/myapp/internal/strict"
	"github.com/headcount-go/headcount/examples/myapp/internal/users"
)

func (s *Server) postMessage(ctx context.Context, w http.ResponseWriter, r *http.Request, who auth.Claims) error {
	body, err := s.openBody(ctx, r)
	if err != nil {
		return err
	}
	var order struct {
		To   string `json:"to"`
		Text string `json:"text"`
	}
	if err := strict.Decode(body, &order); err != nil {
		return err
	}
	bad := func(text string) error { return &problem{http.StatusBadRequest, "bad_message", text} }
	switch {
	case order.To == "me":
		order.To = who.User
	case !auth.ValidUser(order.To):
		return bad("to is not the name of a user")
	}
	if order.Text == "" || len(order.Text) > s.Limits.Text || !utf8.ValidString(order.Text) {
		return bad(fmt.Sprintf("text must have 1 to %d bytes", s.Limits.Text))
	}
	if err := s.deliver(ctx, who, order.To, order.Text); err != nil {
		return err
	}
	s.answer(w, http.StatusAccepted, struct{}{})
	return nil
}

// deliver puts a message into a queue. A queue takes a slot, so nobody opens one for a user who is not here: else one
// user with a list of names could fill the place of all.
func (s *Server) deliver(ctx context.Context, who auth.Claims, to, text string) error {
	if to != who.User && !s.Users.Present(to) {
		return &problem{http.StatusNotFound, "not_here", "this user is not here"}
	}
	for range 2 {
		box, err := s.Users.Mailbox(ctx, to, who.Proven)
		if err != nil {
			return err
		}
		err = box.Put(users.Message{From: who.User, Text: text, At: time.Now().UTC()})
		if !errors.Is(err, users.ErrClosed) {
			return err
		}
		// It has just ended for having been idle: the next is a new one.
	}
	return users.ErrClosed
}

// pollDefault is the wait of a poll that does not say.
const pollDefault = 25 * time.Second

func (s *Server) poll(ctx context.Context, w http.ResponseWriter, r *http.Request, who auth.Claims) error {
	wait := min(pollDefault, s.Limits.PollWithin)
	if text := r.URL.Query().Get("wait"); text != "" {
		seconds, err := strconv.Atoi(text)
		if err != nil || seconds < 0 || seconds > int(s.Limits.PollWithin/time.Second) {
			return &problem{http.StatusBadRequest, "bad_wait", fmt.Sprintf("wait must be 0 to %d seconds", int(s.Limits.PollWithin/time.Second))}
		}
		wait = time.Duration(seconds) * time.Second
	}
	box, err := s.Users.Mailbox(ctx, who.User, who.Proven)
	if err != nil {
		return err
	}
	endpoint.Streams(r.Context()) // a stop does not wait for it, but ends it
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	messages, err := box.Take(waiting, s.Users.Room)
	if err != nil {
		// The time is over, the server stops or the queue has ended: all the same to the client, who asks again.
		messages = []users.Message{}
	}
	s.answer(w, http.StatusOK, map[string][]users.Message{"messages": messages})
	return nil
}
