package headcount

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A supervisor that waits for its next life does not run; one that has had its last is stopped. So are those below it.
func TestASupervisorBetweenTwoLivesIsNotRunningAndNotStopped(t *testing.T) {
	slow := Backoff{Min: time.Hour, Max: time.Hour, Stable: 1000 * time.Hour}
	often := Intensity{100, 1000 * time.Hour}
	type parent interface {
		Node
		StartChild(ctx context.Context, child Specifier) (*Child, error)
	}
	for name, parent := range map[string]func() parent{
		"dynamic": func() parent {
			return NewDynamicSupervisor("parent", MaxChildren(5), WithBackoff(slow), RestartIntensity(100, 1000*time.Hour), WithLogger(quiet))
		},
		"one_for_one": func() parent {
			return NewSupervisor("parent", SupervisorConfig{Backoff: slow, Intensity: often, Logger: quiet})
		},
		"one_for_all": func() parent {
			return NewSupervisor("parent", SupervisorConfig{Strategy: OneForAll, Backoff: slow, Intensity: often, Logger: quiet})
		},
	} {
		for what, end := range map[string]func(t *testing.T, p Node, c *Child){
			"its parent stops": func(t *testing.T, p Node, c *Child) { down(t, p) },
			"it is stopped": func(t *testing.T, p Node, c *Child) {
				if s, static := p.(*Supervisor); static {
					is(t, s.TerminateChild(t.Context(), "sub"), nil)
					return
				}
				is(t, c.Stop(t.Context()), nil)
			},
		} {
			t.Run(name+"/until "+what, func(t *testing.T) {
				inBubble(t, func(t *testing.T) {
					run, fail := failing()
					pool := NewDynamicSupervisor("pool", MaxChildren(5))
					sub := NewSupervisor("sub", SupervisorConfig{Intensity: Intensity{0, time.Second}}, pool, ChildSpec{Name: "w", Run: run})
					p := parent()
					if err := p.Start(t.Context()); err != nil {
						t.Fatal(err)
					}
					c := started(t)(p.StartChild(t.Context(), sub))
					answers := func(when string, want error) {
						t.Helper()
						_, err := pool.Go(t.Context(), obedient)
						_, subErr := sub.StartChild(t.Context(), ChildSpec{Name: "x", Run: obedient})
						if !errors.Is(err, want) || !errors.Is(subErr, want) {
							t.Errorf("%s: the supervisor says %v, the one below %v, want %v", when, subErr, err, want)
						}
					}
					fail <- struct{}{} // restarted at once
					synctest.Wait()
					started(t)(pool.Go(t.Context(), obedient))
					fail <- struct{}{} // restarted in an hour
					synctest.Wait()
					answers("between two lives", ErrNotRunning)
					time.Sleep(2 * time.Hour)
					started(t)(pool.Go(t.Context(), obedient))
					fail <- struct{}{}
					synctest.Wait()
					answers("once more", ErrNotRunning)
					end(t, p, c)
					synctest.Wait()
					answers("after the end", ErrStopped)
					down(t, p)
				})
			})
		}
	}
}

// What comes later in the order of a new life does not run yet, and has not stopped.
func TestAChildOfANewLifeIsNotRunningUntilItsTurn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		run, fail := failing()
		lives := 0
		pool := NewDynamicSupervisor("pool", MaxChildren(5))
		sub := NewSupervisor("sub", SupervisorConfig{Intensity: Intensity{0, time.Second}},
			ChildSpec{Name: "slow", AwaitReady: true, Run: func(ctx context.Context) error {
				if lives++; lives > 1 {
					time.Sleep(time.Second)
				}
				Ready(ctx)
				return run(ctx)
			}}, pool)
		up(t, NewSupervisor("root", SupervisorConfig{Logger: quiet}, sub))
		fail <- struct{}{}
		synctest.Wait()
		_, err := pool.Go(t.Context(), obedient)
		is(t, err, ErrNotRunning)
		time.Sleep(2 * time.Second)
		started(t)(pool.Go(t.Context(), obedient))
	})
}
