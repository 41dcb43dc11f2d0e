package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe"
)

// A service is what the page shows, with a flood that can be let loose on it.
type service struct {
	app     *headcount.Supervisor
	users   *headcount.KeyedSupervisor[string]
	jobs    *headcount.DynamicSupervisor
	flooded atomic.Bool
	url     string
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func untilStopped(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{
		users: headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(200), headcount.MaxPerKey(8)),
		jobs:  headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(64), headcount.Wait(100, time.Second)),
	}
	mail := headcount.NewDynamicSupervisor("mail", headcount.MaxChildren(10))
	cache := headcount.NewDynamicSupervisor("cache", headcount.MaxChildren(headcount.Unlimited))
	reports := headcount.NewDynamicSupervisor("reports", headcount.MaxChildren(4))
	release := make(chan struct{})
	s.app = headcount.NewSupervisor("shop", headcount.SupervisorConfig{Logger: quiet(), MaxDescendants: headcount.MaxDescendants(1000)},
		headcount.ChildSpec{Name: "store", Run: untilStopped}, s.users,
		headcount.NewSupervisor("background", headcount.SupervisorConfig{Strategy: headcount.RestForOne},
			headcount.ChildSpec{Name: "clock", Run: untilStopped}, s.jobs, mail, reports),
		cache)
	page := observe.New("page", "127.0.0.1:0", s.app, observe.AllowChanges(), observe.Logger(quiet()))
	for _, sup := range []*headcount.Supervisor{s.app, page.Supervisor()} {
		if err := sup.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := sup.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { close(release) }) // before the stops: what is stuck returns
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 40 {
		_, err := s.users.At(fmt.Sprintf("user%02d", i%16)).Go(t.Context(), untilStopped)
		must(err)
		_, err = s.jobs.Go(t.Context(), untilStopped)
		must(err)
	}
	for range 9 {
		_, err := mail.Go(t.Context(), untilStopped)
		must(err)
		_, err = cache.Go(t.Context(), untilStopped)
		must(err)
	}
	must(s.jobs.MaxChildren().Set(48, headcount.Change{Source: "file", By: "limits.yaml", Why: "the database takes 50 connections", Review: time.Now().AddDate(0, 1, 0)}))
	must(mail.MaxChildren().Cap("memory", 9, "the machine is short of memory"))
	child, err := reports.StartChild(t.Context(), headcount.ChildSpec{
		Name: "yearly", Restart: headcount.Temporary, Traceable: true, Shutdown: time.Millisecond,
		Run: func(context.Context) error { <-release; return nil },
	})
	must(err)
	if err := child.Stop(t.Context()); !errors.As(err, new(*headcount.StuckError)) {
		t.Fatal(err)
	}
	go s.flood(t.Context())
	s.url = "http://" + page.Addrs()[0].String() + "/"
	s.awaitLook(t, `"name":"reports"`, `"stuck":1`)
	return s
}

// awaitLook waits until the page, which looks once a second, has seen all of this.
func (s *service) awaitLook(t *testing.T, wants ...string) {
	t.Helper()
	var seen []byte
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		res, err := http.Get(s.url + "api/v1/tree")
		if err != nil {
			t.Fatal(err)
		}
		seen, err = io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(wants, func(want string) bool { return !bytes.Contains(seen, []byte(want)) }) {
			return
		}
	}
	t.Fatalf("the page has not seen %v:\n%s", wants, seen)
}

// flood starts children of one user again and again, far above what it may have, and some of the others'.
func (s *service) flood(ctx context.Context) {
	for i := 0; ctx.Err() == nil; i++ {
		if s.flooded.Load() {
			for range 20 {
				_, _ = s.users.At("mallory").Go(ctx, untilStopped)
			}
			if i%4 == 0 {
				stay := time.Duration(2+i/40%7) * time.Second
				_, _ = s.users.At(fmt.Sprintf("user%02d", i%97)).Go(ctx, untilStopped, headcount.WithLifetime(stay))
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}
