// Package users holds what myapp keeps for its users while they are there: their sessions and their queues, all of them
// children under one keyed supervisor, with a limit for each user and one for all.
package users

import (
	"context"
	"sync"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
	"github.com/headcount-go/headcount/examples/myapp/internal/inside"
)

// Config is what Users needs. All fields are required.
type Config struct {
	Supervisor *headcount.KeyedSupervisor[string]
	Counts     *inside.Counts
	Room       int           // messages in one queue
	Idle       time.Duration // after which a queue that nobody uses ends
	Session    time.Duration // the longest life of a session
	Class      func(proven bool) headcount.Class
}

// Users starts the children of users. It is safe for concurrent use.
type Users struct {
	Config

	mu struct {
		sync.Mutex
		boxes map[string]*Mailbox // one for each mailbox that is a child, or is about to be
	}
}

// New returns Users.
func New(cfg Config) *Users {
	u := &Users{Config: cfg}
	u.mu.boxes = make(map[string]*Mailbox)
	return u
}

// Session runs fn as a child of the user's, on the caller's goroutine. Its context ends with ctx, when the supervisor
// stops, when the session is too old, and when the token that it was opened with expires. The error is a
// *headcount.Refusal if there was no room, else what fn returned.
func (u *Users) Session(ctx context.Context, who auth.Claims, name string, fn func(context.Context) error) error {
	return u.Supervisor.At(who.User).Do(ctx, func(ctx context.Context) error {
		u.Counts.EnterUser(who.User)
		defer u.Counts.LeaveUser(who.User)
		return fn(ctx)
	}, headcount.Named(name), headcount.InClass(u.Class(who.Proven)), headcount.WithLifetime(u.lifetime(who)))
}

// lifetime is above zero: zero would be no limit.
func (u *Users) lifetime(who auth.Claims) time.Duration {
	return max(time.Millisecond, min(u.Config.Session, time.Until(who.Expires)))
}

// Present reports whether the user has any child now.
func (u *Users) Present(user string) bool { return u.Supervisor.At(user).Count() > 0 }

// Mailbox returns the user's queue and opens it if need be. Opening it takes one of the user's slots, in the class
// given, and so can be refused with a *headcount.Refusal.
func (u *Users) Mailbox(ctx context.Context, user string, proven bool) (*Mailbox, error) {
	for {
		box, isNew := u.box(user)
		if isNew {
			u.open(ctx, user, proven, box)
		}
		select {
		case <-box.opened:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if box.err != nil {
			return nil, box.err
		}
		select {
		case <-box.closed: // in the moment between look-up and here; the next look-up finds another
			u.forget(user, box)
		default:
			return box, nil
		}
	}
}

// box returns the user's mailbox. If there is none it makes one, which the caller must open.
func (u *Users) box(user string) (box *Mailbox, isNew bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if box := u.mu.boxes[user]; box != nil {
		return box, false
	}
	box = newMailbox(u.Room, u.Idle)
	u.mu.boxes[user] = box
	return box, true
}

// open starts the child that the mailbox is, or sets why that cannot be.
func (u *Users) open(ctx context.Context, user string, proven bool, box *Mailbox) {
	// Others may wait for this mailbox too: the end of one request must not be their error.
	_, err := u.Supervisor.At(user).Go(context.WithoutCancel(ctx), func(ctx context.Context) error {
		u.Counts.EnterUser(user)
		defer u.Counts.LeaveUser(user)
		defer u.forget(user, box)
		box.child = ctx
		close(box.opened)
		return box.run(ctx)
	}, headcount.Named("queue"), headcount.InClass(u.Class(proven)))
	if err != nil {
		u.forget(user, box)
		box.err = err
		close(box.opened)
	}
}

// forget removes a mailbox that has ended, unless the user has a new one already.
func (u *Users) forget(user string, box *Mailbox) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.mu.boxes[user] == box {
		delete(u.mu.boxes, user)
	}
}
