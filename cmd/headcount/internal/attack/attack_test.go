package attack_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount/cmd/headcount/internal/apptest"
	"github.com/headcount-go/headcount/cmd/headcount/internal/attack"
	"github.com/headcount-go/headcount/cmd/headcount/internal/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// on makes attack a on app and returns what the attacker counted, once every shot has had its outcome.
func on(t *testing.T, app *apptest.App, a attack.Attack) attack.Counts {
	t.Helper()
	server := httptest.NewServer(app.Handler())
	defer server.Close()
	return until(t, target(server.Listener.Addr().String()), a, func(c attack.Counts) bool {
		return settled(c) || c.Capped && c.Held == a.HoldAtMost
	})
}

// until makes an attack, ends it when over says so, and returns what the attacker counted.
func until(t *testing.T, on attack.Target, a attack.Attack, over func(attack.Counts) bool) attack.Counts {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var tally attack.Tally
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		a.Run(ctx, on, 250*time.Millisecond, &tally)
	}()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if over(tally.Counts()) {
				cancel()
			}
		case <-ended:
			return tally.Counts()
		}
	}
}

// settled reports whether each shot has been accepted, refused, or has failed.
func settled(c attack.Counts) bool {
	n := c.Accepted + c.RefusedTotal()
	for _, failed := range c.Failed {
		n += failed
	}
	return c.Planned > 0 && n == c.Planned
}

func target(addr string) attack.Target {
	return attack.Target{Addr: addr, Token: func(user string) string {
		return token.Make("0123456789abcdef", user, false, time.Now().Add(time.Hour))
	}}
}

func TestOneUserHoldsWhatItsLimitAllows(t *testing.T) {
	app := &apptest.App{MaxPerUser: 5}
	got := on(t, app, attack.WebsocketsOfOneUser(200))
	if got.HeldPeak != 5 || got.Accepted != 5 {
		t.Errorf("held %d of %d accepted, want 5 of 5", got.HeldPeak, got.Accepted)
	}
	if got.Refused["max_per_key"] != 195 {
		t.Errorf("refused = %v, want 195 by max_per_key", got.Refused)
	}
	if len(got.Failed) != 0 {
		t.Errorf("failed = %v, want nothing", got.Failed)
	}
}

func TestNewUsersAreAUserEach(t *testing.T) {
	app := &apptest.App{MaxPerUser: 1, MaxUsers: 50}
	got := on(t, app, attack.WebsocketsOfNewUsers(120))
	if got.HeldPeak != 40 || got.Refused["max_children"] != 80 {
		t.Errorf("held %d, refused %v, want four fifths of 50 and 80 by max_children", got.HeldPeak, got.Refused)
	}
}

func TestEverythingIsLetGoAtTheEnd(t *testing.T) {
	app := &apptest.App{}
	got := on(t, app, attack.WebsocketsOfNewUsers(30))
	if got.HeldPeak != 30 || got.Held != 0 {
		t.Errorf("held %d, then %d, want 30, then none", got.HeldPeak, got.Held)
	}
}

func TestWebsocketsStopAtTheNumberOfDescriptors(t *testing.T) {
	a := attack.WebsocketsOfNewUsers(500)
	a.HoldAtMost = 20
	got := on(t, &apptest.App{}, a)
	if !got.Capped || got.HeldPeak != 20 {
		t.Errorf("held %d, capped %v, want 20 and true", got.HeldPeak, got.Capped)
	}
}

func TestJobsAreCountedByWhatBecameOfThem(t *testing.T) {
	app := &apptest.App{MaxJobs: 5, JobTakes: time.Hour}
	for _, a := range []attack.Attack{attack.JobFlood(40), attack.CrashStorm(40), attack.Hang(40)} {
		got := on(t, app, a)
		if held := got.HeldPeak; held > 0 && held != 4 {
			t.Errorf("%s: held %d, want the 4 that were accepted", a.Name, held)
		}
		if got.Accepted != 4 || got.Refused["queue_full"] != 36 {
			t.Errorf("%s: accepted %d, refused %v, want four fifths of 5 and 36 by queue_full", a.Name, got.Accepted, got.Refused)
		}
	}
}

func TestADeadApplicationFailsEveryShotAndEndsNothing(t *testing.T) {
	server := httptest.NewServer((&apptest.App{}).Handler())
	addr := server.Listener.Addr().String()
	server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var tally attack.Tally
	attack.WebsocketsOfOneUser(10).Run(ctx, target(addr), 100*time.Millisecond, &tally)
	if got := tally.Counts(); got.Failed["connection_refused"] != 10 {
		t.Errorf("failed = %v, want 10 by connection_refused", got.Failed)
	}
}

func TestOnlyLoopbackIsAttacked(t *testing.T) {
	for _, addr := range []string{"192.0.2.1:80", "example.com:80", "localhost:80", "nonsense"} {
		var tally attack.Tally
		attack.WebsocketsOfOneUser(10).Run(t.Context(), target(addr), 0, &tally)
		if got := tally.Counts(); got.Sent != 0 || got.Failed["not_loopback"] != 1 {
			t.Errorf("%s: %d shots sent, failed = %v; want none and a refusal of our own", addr, got.Sent, got.Failed)
		}
	}
}

func TestShotsAreSpreadOverTheTime(t *testing.T) {
	server := httptest.NewServer((&apptest.App{}).Handler())
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	var tally attack.Tally
	// Ten minutes for these, of which a fraction of a second is over when the attack ends.
	attack.WebsocketsOfNewUsers(600_000).Run(ctx, target(server.Listener.Addr().String()), 10*time.Minute, &tally)
	if got := tally.Counts(); got.Sent < 1 || got.Sent > 500 {
		t.Errorf("%d shots in 0.4 s at one a millisecond", got.Sent)
	}
}

func TestEveryAttackSaysWhatItDoes(t *testing.T) {
	for _, a := range []attack.Attack{attack.JobFlood(1), attack.WebsocketsOfOneUser(1), attack.WebsocketsOfNewUsers(1), attack.CrashStorm(1), attack.Hang(1),
		attack.ConnectionFlood(1, fourClients), attack.SlowHeader(1, fourClients), attack.SlowBody(1, fourClients), attack.SlowReader(1, fourClients),
		attack.RapidReset(1, fourClients), attack.SpoofedAddresses(1, fourClients), attack.RefusedBody(1, fourClients)} {
		if a.Name == "" || !strings.Contains(a.About, "1") {
			t.Errorf("attack %q is described as %q, want its number in it", a.Name, a.About)
		}
	}
}
