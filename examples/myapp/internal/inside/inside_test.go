package inside

import (
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestGaugeRemembersThePeakOfConcurrentEntries(t *testing.T) {
	const n = 32
	var g Gauge
	var in, out sync.WaitGroup
	in.Add(n)
	for range n {
		out.Go(func() {
			g.Enter()
			in.Done()
			in.Wait()
			g.Leave()
		})
	}
	out.Wait()
	if g.Now() != 0 || g.Peak() != n {
		t.Errorf("now %d, peak %d, want 0 and %d", g.Now(), g.Peak(), n)
	}
}

func TestCountsForgetUsersWithoutChildren(t *testing.T) {
	var c Counts
	c.EnterUser("ada")
	c.EnterUser("ada")
	c.EnterUser("bob")
	c.LeaveUser("ada")
	c.LeaveUser("ada")
	c.LeaveUser("bob")
	if len(c.perUser.now) != 0 {
		t.Errorf("still known: %v", c.perUser.now)
	}
	if c.PerUserPeak() != 2 || c.UserChildren.Peak() != 3 {
		t.Errorf("peaks %d and %d, want 2 and 3", c.PerUserPeak(), c.UserChildren.Peak())
	}
}
