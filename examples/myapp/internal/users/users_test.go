package users

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
	"github.com/headcount-go/headcount/examples/myapp/internal/inside"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const idle = time.Minute

// setup returns users with room for three children each and two messages a queue, and how to stop them.
func setup(t *testing.T) (u *Users, stop func()) {
	t.Helper()
	supervisor := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(10), headcount.MaxPerKey(3),
		headcount.MaxBytes(10_000), headcount.WithLogger(slog.New(slog.DiscardHandler)))
	if err := supervisor.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	u = New(Config{
		Supervisor: supervisor, Counts: new(inside.Counts), Room: 2, Idle: idle, Session: time.Hour,
		Class: func(bool) headcount.Class { return 0 },
	})
	stop = sync.OnceFunc(func() {
		if err := supervisor.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return u, stop
}

func (u *Users) mustMailbox(t *testing.T, user string) *Mailbox {
	t.Helper()
	box, err := u.Mailbox(t.Context(), user, false)
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func message(text string) Message { return Message{From: "bob", Text: text} }

func TestMailboxKeepsOrderAndRefusesWhenFull(t *testing.T) {
	u, _ := setup(t)
	box := u.mustMailbox(t, "ada")
	for _, text := range []string{"one", "two"} {
		if err := box.Put(message(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := box.Put(message("three")); !errors.Is(err, ErrQueueFull) {
		t.Errorf("third: %v, want ErrQueueFull", err)
	}
	got, err := box.Take(t.Context(), 10)
	if err != nil || len(got) != 2 || got[0].Text != "one" || got[1].Text != "two" {
		t.Errorf("took %v, %v", got, err)
	}
}

func TestMailboxWakesAReaderThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, stop := setup(t)
		defer stop()
		box := u.mustMailbox(t, "ada")
		got := make(chan string, 2)
		for range 2 {
			go func() {
				messages, err := box.Take(context.Background(), 1)
				if err != nil {
					t.Error(err)
				}
				got <- fmt.Sprint(len(messages), messages[0].Text)
			}()
		}
		synctest.Wait() // both wait
		for _, text := range []string{"a", "b"} {
			if err := box.Put(message(text)); err != nil {
				t.Error(err)
			}
		}
		if a, b := <-got, <-got; a == b || a != "1a" && b != "1a" {
			t.Errorf("the readers got %s and %s, want one message each", a, b)
		}
	})
}

func TestMailboxGivesBackWhatItWasCharged(t *testing.T) {
	u, _ := setup(t)
	box := u.mustMailbox(t, "ada")
	if err := box.Put(message(string(make([]byte, 20_000)))); !errors.Is(err, headcount.ErrMaxBytes) {
		t.Errorf("more than all queues may hold: %v, want ErrMaxBytes", err)
	}
	if err := box.Put(message("hi")); err != nil {
		t.Fatal(err)
	}
	if held := u.Supervisor.Counts().Bytes; held != message("hi").size() {
		t.Errorf("%d bytes are charged, want %d", held, message("hi").size())
	}
	if _, err := box.Take(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if held := u.Supervisor.Counts().Bytes; held != 0 {
		t.Errorf("%d bytes are charged for an empty queue", held)
	}
}

func TestManyOpenersGetOneMailbox(t *testing.T) {
	u, _ := setup(t)
	boxes := make([]*Mailbox, 20)
	var wg sync.WaitGroup
	for i := range boxes {
		wg.Go(func() { boxes[i] = u.mustMailbox(t, "ada") })
	}
	wg.Wait()
	for _, box := range boxes {
		if box != boxes[0] {
			t.Fatal("there are several")
		}
	}
	if n := u.Supervisor.At("ada").Count(); n != 1 {
		t.Errorf("%d children, want 1", n)
	}
}

func TestMailboxTakesOneOfTheUsersSlots(t *testing.T) {
	u, _ := setup(t)
	who := auth.Claims{User: "ada", Expires: time.Now().Add(time.Hour)}
	var nest func(ctx context.Context, depth int) error
	nest = func(ctx context.Context, depth int) error {
		if depth == 0 {
			_, err := u.Mailbox(ctx, "ada", false)
			return err
		}
		return u.Session(ctx, who, "test", func(ctx context.Context) error { return nest(ctx, depth-1) })
	}
	if err := nest(t.Context(), 2); err != nil {
		t.Errorf("two sessions and a queue: %v", err)
	}
	if err := u.Supervisor.At("ada").Terminate(t.Context()); err != nil { // the queue
		t.Fatal(err)
	}
	if err := nest(t.Context(), 3); !errors.Is(err, headcount.ErrMaxPerKey) {
		t.Errorf("a queue after three sessions: %v, want ErrMaxPerKey", err)
	}
	if _, err := u.Mailbox(t.Context(), "ada", false); err != nil {
		t.Errorf("a queue when the sessions are over: %v", err)
	}
}

func TestIdleMailboxEndsAndANewOneOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, stop := setup(t)
		defer stop()
		box := u.mustMailbox(t, "ada")
		reader, cancel := context.WithTimeout(context.Background(), 3*idle)
		defer cancel()
		if _, err := box.Take(reader, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a reader keeps it open, but got %v", err)
		}
		time.Sleep(2 * idle)
		synctest.Wait()
		if u.Present("ada") {
			t.Error("it is still a child")
		}
		if err := box.Put(message("late")); !errors.Is(err, ErrClosed) {
			t.Errorf("put after the end: %v, want ErrClosed", err)
		}
		if u.mustMailbox(t, "ada") == box {
			t.Error("the old one was opened again")
		}
	})
}

func TestStopEndsMailboxesAndTheirReaders(t *testing.T) {
	u, stop := setup(t)
	box := u.mustMailbox(t, "ada")
	done := make(chan error)
	go func() {
		_, err := box.Take(context.Background(), 1)
		done <- err
	}()
	stop()
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("the reader got %v, want ErrClosed", err)
	}
	if _, err := u.Mailbox(t.Context(), "ada", false); !errors.Is(err, headcount.ErrStopped) && !errors.Is(err, headcount.ErrNotRunning) {
		t.Errorf("opening after the stop: %v", err)
	}
	if len(u.mu.boxes) != 0 {
		t.Errorf("still known: %v", u.mu.boxes)
	}
}

func TestSessionEndsWithItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, stop := setup(t)
		defer stop()
		began := time.Now()
		who := auth.Claims{User: "ada", Expires: began.Add(5 * time.Minute)}
		err := u.Session(t.Context(), who, "test", func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		if took := time.Since(began); took != 5*time.Minute || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("ended after %v with %v", took, err)
		}
	})
}
