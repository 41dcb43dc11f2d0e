package demo

import (
	"strings"
	"testing"
)

func TestPlansFitTheirTime(t *testing.T) {
	for name, p := range map[string]plan{"full": fullPlan(), "quick": quickPlan()} {
		const starts = 6 // seconds, for one protected and five unprotected applications on a slow machine
		all := 0.0
		for _, a := range p.attacks() {
			all += (a.timing.attack + a.timing.recover).Seconds()
		}
		if took := 2*(p.calm.Seconds()+all) + p.stopWithin.Seconds() + starts; took > p.budget.Seconds() {
			t.Errorf("the %s plan takes %.1f s of %s", name, took, p.budget)
		}
	}
}

func TestFewDescriptorsMakeThePlanSmallerAndAreSaid(t *testing.T) {
	p := fullPlan()
	if err := p.fit(1024); err != nil {
		t.Fatal(err)
	}
	if p.heldAtMost == 0 || p.heldAtMost > 1024 || p.limits.Users > 512 || p.limits.Conns > 1024 {
		t.Errorf("with 1024 descriptors: held %d, limits %+v", p.heldAtMost, p.limits)
	}
	if flooded := manyClients.Networks * p.limits.ConnsPerPrefix; flooded > p.limits.Conns/4 || p.limits.ConnsPerClient > p.limits.ConnsPerPrefix {
		t.Errorf("a flood may hold %d, limits %+v: honest users find no room", flooded, p.limits)
	}
	if p.limits.NewUsers >= p.limits.Users || p.heldAtMost <= p.limits.NewUsers {
		t.Errorf("new users may fill %d of %d and hold %d: the attack does not reach the limit", p.limits.NewUsers, p.limits.Users, p.heldAtMost)
	}
	if !strings.Contains(strings.Join(p.notes, "\n"), "1024 file descriptors") {
		t.Errorf("notes %q do not say so", p.notes)
	}
}

func TestEnoughDescriptorsChangeNothing(t *testing.T) {
	for _, descriptors := range []int{0, 1 << 20} {
		p := fullPlan()
		if err := p.fit(descriptors); err != nil {
			t.Fatal(err)
		}
		if q := fullPlan(); p.websockets != q.websockets || p.limits != q.limits || len(p.notes) != 0 {
			t.Errorf("%d descriptors made the plan %+v", descriptors, p)
		}
	}
}

func TestTooFewDescriptorsAreAnError(t *testing.T) {
	p := fullPlan()
	if err := p.fit(64); err == nil || !strings.Contains(err.Error(), "64") {
		t.Errorf("error %v, want one that names the number", err)
	}
}

func TestTheAttackThatStaysBehindIsTheLast(t *testing.T) {
	p := fullPlan()
	attacks := p.attacks()
	for i, a := range attacks {
		if a.staysBehind != (i == len(attacks)-1) {
			t.Errorf("%s is attack %d of %d, stays behind: %v", a.Name, i+1, len(attacks), a.staysBehind)
		}
	}
}
