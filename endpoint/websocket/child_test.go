package websocket

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

var silent = slog.New(slog.DiscardHandler)

func startUsers(t *testing.T, options ...headcount.Option) *headcount.DynamicSupervisor {
	t.Helper()
	users := headcount.NewDynamicSupervisor("users", headcount.MaxChildren(10), append(options, headcount.WithLogger(silent))...)
	if err := users.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := users.Stop(context.Background()); err != nil {
			t.Errorf("Stop: %v", err)
		}
	})
	return users
}

func TestStopOfTheSupervisorSaysGoodbyeAndWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		users := startUsers(t)
		var s *session
		done := make(chan error, 1)
		started := make(chan struct{})
		go func() {
			done <- users.Do(t.Context(), func(ctx context.Context) error {
				s = pipeSession(t, ctx, Config{}, echo)
				close(started)
				return <-s.result
			})
		}()
		<-started
		synctest.Wait()
		go users.Stop(context.Background())
		if code := s.farewell(); code != StatusGoingAway {
			t.Errorf("farewell %d", code)
		}
		time.Sleep(500 * time.Millisecond)
		if n := users.Counts().Running; n != 1 {
			t.Errorf("%d children while the goodbye is not over, want 1", n)
		}
		s.mustSend(closeFrame(StatusGoingAway))
		if err := <-done; err != nil {
			t.Errorf("the child ended with %v", err)
		}
		s.after(500 * time.Millisecond)
	})
}

func TestGoroutineBesideCountsUnderTheLimitsAbove(t *testing.T) {
	users := headcount.NewDynamicSupervisor("users", headcount.MaxChildren(10), headcount.WithLogger(silent))
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{MaxDescendants: headcount.MaxDescendants(2), Logger: silent}, users)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer app.Stop(context.Background())
	w := httptest.NewRecorder()
	err := users.Do(t.Context(), func(ctx context.Context) error {
		return Serve(w, upgradeRequest().WithContext(ctx), Config{}, echo)
	})
	if !errors.Is(err, headcount.ErrMaxDescendants) || w.Code != http.StatusServiceUnavailable {
		t.Errorf("Serve returned %v and answered %d, want ErrMaxDescendants and 503", err, w.Code)
	}
}

func TestPanicOfTheHandlerIsTheChilds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		users := startUsers(t)
		server, p := pipePeer(t)
		done := make(chan error, 1)
		go func() {
			done <- users.Do(t.Context(), func(ctx context.Context) error {
				return Serve(server, upgradeRequest().WithContext(ctx), Config{}, func(context.Context, *Conn) error { panic("boom") })
			})
		}()
		if code := p.farewell(); code != StatusInternalError {
			t.Errorf("farewell %d, want %d", code, StatusInternalError)
		}
		p.mustSend(closeFrame(StatusInternalError))
		var panicked *headcount.PanicError
		if err := <-done; !errors.As(err, &panicked) || panicked.Value != "boom" {
			t.Errorf("the child ended with %v, want the panic", err)
		}
		if _, err := p.receive(); err != io.EOF {
			t.Errorf("after the goodbye: %v, want EOF", err)
		}
	})
}

func TestPanicGoesOnToACallerThatIsNoChild(t *testing.T) {
	bubble(t, func(t *testing.T) {
		server, p := pipePeer(t)
		recovered := make(chan any, 1)
		go func() {
			defer func() { recovered <- recover() }()
			Serve(server, upgradeRequest(), Config{}, func(context.Context, *Conn) error { panic(http.ErrAbortHandler) })
		}()
		if code := p.farewell(); code != StatusInternalError {
			t.Errorf("farewell %d, want %d", code, StatusInternalError)
		}
		if v := <-recovered; v != http.ErrAbortHandler {
			t.Errorf("recovered %v", v)
		}
	})
}

func TestQueueIsChargedToTheChild(t *testing.T) {
	bubble(t, func(t *testing.T) {
		users := startUsers(t, headcount.MaxBytes(1000))
		server, p := pipePeer(t)
		done := make(chan error, 1)
		go func() {
			done <- users.Do(t.Context(), func(ctx context.Context) error {
				return Serve(server, upgradeRequest().WithContext(ctx), Config{ChargeQueue: true}, func(ctx context.Context, c *Conn) error {
					for i := range 3 {
						if err := c.Send(MessageBinary, make([]byte, 400)); (i == 2) != errors.Is(err, headcount.ErrMaxBytes) {
							t.Errorf("Send %d: %v", i, err)
						}
					}
					for range 3 { // one comes for each that has been sent
						if _, _, err := c.Read(); err != nil {
							return err
						}
						if err := c.Send(MessageBinary, make([]byte, 400)); err != nil {
							t.Errorf("Send after one was sent: %v", err)
						}
					}
					_, _, err := c.Read()
					return err
				})
			})
		}()
		synctest.Wait() // the third has been refused
		for i := range 5 {
			p.mustReceive(final | opBinary)
			synctest.Wait() // it has been given back
			if i < 3 {
				p.mustSend(text("next"))
			}
		}
		p.mustSend(closeFrame(StatusNormalClosure))
		p.mustReceive(final | opClose)
		if err := <-done; err != nil {
			t.Errorf("the child ended with %v", err)
		}
		if held := users.Counts().Bytes; held != 0 {
			t.Errorf("%d bytes are still charged", held)
		}
	})
}
