package tests

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

func newUsers(t *testing.T, limit, perKey int, opts ...headcount.Option) *headcount.KeyedSupervisor[string] {
	t.Helper()
	users := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(limit), headcount.MaxPerKey(perKey), opts...)
	start(t, users)
	return users
}

// R1
func TestAtMostOneChildPerKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users := newUsers(t, 10, 1)
		mustGo(t, users.At("alice"))
		_, err := users.At("alice").Go(t.Context(), until)
		wantRefusal(t, err, headcount.ReasonMaxPerKey, headcount.ErrMaxPerKey)
		mustGo(t, users.At("bob"))
		if a, b := users.At("alice").Count(), users.At("bob").Count(); a != 1 || b != 1 {
			t.Errorf("alice holds %d, bob %d, want 1 each", a, b)
		}
		if n := users.Counts().Refused; n.MaxPerKey != 1 || n.Total() != 1 {
			t.Errorf("counted %+v", n)
		}
	})
}

// R2, law 3
func TestAKeyIsFreeWhenItsChildsExitIsSeen(t *testing.T) {
	users := newUsers(t, 10, 1)
	for i := range 5_000 {
		child, err := users.At("k").Go(context.Background(), func(context.Context) error { return nil })
		if err != nil {
			t.Fatalf("start %d: %v", i, err)
		}
		_ = child.Wait(context.Background())
		if _, found := users.At("k").Lookup(); found {
			t.Fatalf("start %d: the ended child is still found", i)
		}
	}
}

// R5
func TestDoUnderMaxPerKeyOneExcludes(t *testing.T) {
	users := newUsers(t, 100, 1, headcount.KeyShare(100))
	var inside [4]atomic.Int32
	var ran, refused atomic.Int32
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for j := range 500 {
				key := (i + j) % len(inside)
				err := users.At(fmt.Sprint(key)).Do(context.Background(), func(context.Context) error {
					if n := inside[key].Add(1); n != 1 {
						t.Errorf("%d inside under one key", n)
					}
					defer inside[key].Add(-1)
					ran.Add(1)
					switch j % 3 {
					case 0:
						panic("let go by a panic too")
					case 1:
						return errBoom
					}
					return nil
				})
				if errors.Is(err, headcount.ErrMaxPerKey) {
					refused.Add(1)
				} else if errors.Is(err, headcount.ErrRefused) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if ran.Load()+refused.Load() != 16*500 {
		t.Errorf("%d ran and %d were refused, want %d in all", ran.Load(), refused.Load(), 16*500)
	}
	for key := range inside {
		if err := users.At(fmt.Sprint(key)).Do(context.Background(), func(context.Context) error { return nil }); err != nil {
			t.Errorf("key %d is not free at the end: %v", key, err)
		}
	}
}

// R6
func TestExactlyOneWorkerForAKey(t *testing.T) {
	users := newUsers(t, 100, 1)
	var workers atomic.Int32
	get := func() (*headcount.Child, error) {
		for {
			child, err := users.At("k").StartChild(context.Background(), headcount.ChildSpec{Restart: headcount.Temporary, Run: func(ctx context.Context) error {
				workers.Add(1)
				return until(ctx)
			}})
			if !errors.Is(err, headcount.ErrMaxPerKey) {
				return child, err
			}
			if child, ok := users.At("k").Lookup(); ok { // not ok: it has just ended
				return child, nil
			}
		}
	}
	var ids sync.Map
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			child, err := get()
			if err != nil {
				t.Error(err)
				return
			}
			ids.Store(child.ID(), true)
		})
	}
	wg.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if n != 1 || users.Counts().Started != 1 {
		t.Errorf("%d different workers, %d started, want 1", n, users.Counts().Started)
	}
}

// O4
func TestAKeysAllowanceShrinksAsTheTotalFills(t *testing.T) {
	for _, c := range []struct {
		share  float64
		greedy int // what one key gets of twelve slots when it is alone
	}{
		{1, 6},   // the sixth leaves six free
		{0.5, 4}, // the fourth leaves eight free
		{3, 9},   // the ninth leaves three free
	} {
		t.Run(fmt.Sprint(c.share), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				users := newUsers(t, 12, 12, headcount.KeyShare(c.share))
				got := 0
				for {
					if _, err := users.At("greedy").Go(t.Context(), until); err != nil {
						wantRefusal(t, err, headcount.ReasonMaxPerKey, headcount.ErrMaxPerKey)
						break
					}
					got++
				}
				if got != c.greedy {
					t.Errorf("one key got %d of 12, want %d", got, c.greedy)
				}
				for i := range 12 - got { // a key without a child needs only one free slot
					mustGo(t, users.At(fmt.Sprint("k", i)))
				}
				_, err := users.At("late").Go(t.Context(), until)
				wantRefusal(t, err, headcount.ReasonMaxChildren, headcount.ErrMaxChildren)
			})
		})
	}
}

// O4: a paying user may have more.
func TestALimitPerKeyMayDependOnTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		users := newUsers(t, 1000, 1, headcount.MaxPerKeyFunc(func(key string, base int) int {
			switch key {
			case "paying":
				return 3 * base
			case "barred":
				return -1
			}
			return base
		}))
		for key, want := range map[string]int{"paying": 3, "free": 1, "barred": 0} {
			got := 0
			for range 10 {
				if _, err := users.At(key).Go(t.Context(), until); err == nil {
					got++
				} else {
					wantRefusal(t, err, headcount.ReasonMaxPerKey, headcount.ErrMaxPerKey)
				}
			}
			if got != want {
				t.Errorf("%s got %d, want %d", key, got, want)
			}
		}
		if err := users.MaxPerKey().Set(2, headcount.Change{}); err != nil {
			t.Fatal(err)
		}
		for range 3 { // 6 now
			mustGo(t, users.At("paying"))
		}
		_, err := users.At("paying").Go(t.Context(), until)
		wantRefusal(t, err, headcount.ReasonMaxPerKey, headcount.ErrMaxPerKey)
	})
}

// Log this user out: the children of one key, and nobody else's.
func TestTerminateOfAKeyEndsItsChildrenOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d diary
		users := newUsers(t, 100, 10)
		for _, name := range []string{"a", "a", "b"} {
			if _, err := users.At(name).StartChild(t.Context(), d.actor(name)); err != nil {
				t.Fatal(err)
			}
		}
		d.expect(t, "+a +a +b")
		if infos, _ := users.At("a").Children(headcount.Query{}); len(infos) != 2 || infos[0].Key != infos[1].Key || infos[0].Key != "a" {
			t.Errorf("listed for a: %+v", infos)
		}
		if top := users.TopKeys(1); len(top) != 1 || top[0].Key != "a" || top[0].Count != 2 {
			t.Errorf("who holds most: %+v, want a with 2", top)
		}
		if err := users.At("a").Terminate(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		d.expect(t, "-a -a")
		if a, b := users.At("a").Count(), users.At("b").Count(); a != 0 || b != 1 {
			t.Errorf("a holds %d, b %d, want 0 and 1", a, b)
		}
		if err := users.At("nobody").Terminate(t.Context()); err != nil {
			t.Errorf("Terminate of a key without children: %v", err)
		}
	})
}
