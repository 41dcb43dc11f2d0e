package headcount

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestSmoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		jobs := NewDynamicSupervisor("jobs", MaxChildren(2), Wait(2, time.Second))
		users := NewKeyedSupervisor[string]("users", MaxChildren(10), MaxPerKey(2), MaxDescendants(4))
		n := 0
		app := NewSupervisor("app", SupervisorConfig{Strategy: RestForOne, Logger: quiet},
			ChildSpec{Name: "store", AwaitReady: true, Run: func(ctx context.Context) error {
				time.Sleep(time.Second)
				Ready(ctx)
				if n++; n == 1 {
					time.Sleep(time.Minute)
					return errors.New("boom")
				}
				<-ctx.Done()
				return ctx.Err()
			}}, jobs, users)
		if err := app.Start(ctx); err != nil {
			t.Fatal(err)
		}
		wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		for range 2 {
			if _, err := users.At("a").Go(ctx, wait); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := users.At("a").Go(ctx, wait); !errors.Is(err, ErrMaxPerKey) {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := jobs.Go(ctx, wait); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := jobs.Go(ctx, wait); !errors.Is(err, ErrWaitTimeout) {
			t.Fatal(err)
		}
		go func() { time.Sleep(100 * time.Millisecond); jobs.MaxChildren().Set(3, Change{}) }()
		if _, err := jobs.Go(ctx, wait); err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", app.Tree())
		time.Sleep(2 * time.Minute)
		if _, err := jobs.Go(ctx, wait); err != nil {
			t.Fatal(err)
		}
		if err := app.Stop(ctx); err != nil {
			t.Fatal(err)
		}
		if _, err := jobs.Go(ctx, wait); !errors.Is(err, ErrStopped) {
			t.Fatal(err)
		}
		t.Logf("%+v", jobs.Counts())
	})
}
