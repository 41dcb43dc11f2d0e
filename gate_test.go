package headcount

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestGateRefusesInTheNameOfItsSupervisor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var inForce []int
		gate := NewGate("conns_per_prefix", 8, func(n int) { inForce = append(inForce, n) })
		conns := NewDynamicSupervisor("conns", MaxChildren(4), Gates(gate), WithLogger(quiet))
		events := conns.Events(0)
		defer events.Close()
		if err := conns.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer conns.Stop(context.Background())

		err := gate.Refuse()
		var refusal *Refusal
		if !errors.As(err, &refusal) || refusal.Path != "conns" || refusal.Gate != "conns_per_prefix" || refusal.Limit != 8 {
			t.Errorf("Refuse is %#v, want a refusal of conns that names the gate and its limit", err)
		}
		if !errors.Is(err, ErrRefused) || !errors.Is(err, ErrGate) || errors.Is(err, ErrMaxChildren) {
			t.Errorf("%v does not match ErrRefused and ErrGate alone", err)
		}
		if !strings.Contains(err.Error(), "conns_per_prefix is 8") {
			t.Errorf("the refusal reads %q, which does not name the gate", err)
		}
		if err := gate.Limit().Set(3, Change{By: "me"}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(inForce, []int{8, 3}) {
			t.Errorf("enforce was called with %v, want 8 and 3", inForce)
		}
		_ = gate.Refuse()
		if c := conns.Counts().Refused; c.Gates != 2 || c.Total() != 2 {
			t.Errorf("refused are %+v, want 2 by gates", c)
		}
		if g := conns.Tree().Gates; len(g) != 1 || g[0].Name != "conns_per_prefix" || g[0].InForce != 3 || g[0].Refused != 2 || g[0].Setting.By != "me" {
			t.Errorf("the tree shows the gates %+v", g)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		var reached, cleared, changed int
		for range len(events.C()) {
			switch e := (<-events.C()).(type) {
			case LimitReached:
				reached++
			case LimitCleared:
				if cleared++; e.Refused != 2 || e.Reason != "conns_per_prefix" || e.Observed {
					t.Errorf("the spell ends with %+v", e)
				}
			case LimitChanged:
				if changed++; e.Limit != "conns_per_prefix" || e.From != 8 || e.To != 3 {
					t.Errorf("the change is told as %+v", e)
				}
			}
		}
		if reached != 1 || cleared != 1 || changed != 1 {
			t.Errorf("told were %d spells, %d ends, %d changes, want one of each", reached, cleared, changed)
		}
	})
}

func TestGateThatObservesRefusesNothing(t *testing.T) {
	gate := NewGate("conn_rate", 1, nil).Observing()
	sup := NewSupervisor("web", SupervisorConfig{Gates: []*Gate{gate}})
	if err := gate.Refuse(); err != nil {
		t.Errorf("Refuse is %v, want nil", err)
	}
	if g := sup.Tree().Gates; len(g) != 1 || g[0].Refused != 0 || g[0].Observed != 1 || !g[0].Observing {
		t.Errorf("the tree shows the gates %+v", g)
	}
	if n := sup.Counts().Refused.Total(); n != 0 {
		t.Errorf("%d are counted as refused, want none", n)
	}
}

func TestGateIsCheckedBeforeAnythingStarts(t *testing.T) {
	shared := NewGate("shared", 1, nil)
	NewDynamicSupervisor("first", MaxChildren(1), Gates(shared))
	err := Check(NewSupervisor("web", SupervisorConfig{
		Gates: []*Gate{nil, NewGate("Not a word", 1, nil), NewGate("negative", -1, nil), shared},
		Check: func() error {
			return errors.Join(&ConfigError{Field: "addr", Value: "nowhere", Problem: "is no address"}, errors.New("and more"))
		},
	}))
	if err == nil {
		t.Fatal("Check found nothing")
	}
	for _, want := range []string{"Gates[0]", "Not a word", "negative", "first", "web: addr", "and more"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Check does not name %q:\n%v", want, err)
		}
	}
}

func TestGatesOfOneSupervisorHaveNamesOfTheirOwn(t *testing.T) {
	same := func() *Gate { return NewGate("requests", 5, nil) }
	apart := NewSupervisor("app", SupervisorConfig{Gates: []*Gate{same()}}, NewDynamicSupervisor("web", MaxChildren(1), Gates(same())))
	if err := Check(apart); err != nil {
		t.Errorf("the same name at two supervisors: %v", err)
	}
	one := NewDynamicSupervisor("web", MaxChildren(1), Gates(NewGate("conns", 1, nil), same(), same()))
	const want = `web: Gates[2]: "requests" is the name of Gates[1] too`
	if err := Check(one); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("Check says %v, want %s", err, want)
	}
	if err := one.Start(t.Context()); err == nil {
		t.Error("it starts")
		_ = one.Stop(t.Context())
	}
}

func TestGateRefusesWithoutAllocating(t *testing.T) {
	gate := NewGate("conn_rate", 1, nil)
	sup := NewDynamicSupervisor("conns", MaxChildren(1), Gates(gate))
	_ = gate.Refuse() // begins the spell
	if n := testing.AllocsPerRun(1000, func() { _ = gate.Refuse() }); n > 0 {
		t.Errorf("a refusal allocates %v times", n)
	}
	_ = sup
}
