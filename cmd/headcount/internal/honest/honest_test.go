package honest_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount/cmd/headcount/internal/apptest"
	"github.com/headcount-go/headcount/cmd/headcount/internal/honest"
	"github.com/headcount-go/headcount/cmd/headcount/internal/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var config = honest.Config{
	Users:     3,
	EchoEvery: 20 * time.Millisecond,
	OpenEvery: 30 * time.Millisecond,
	JobEvery:  30 * time.Millisecond,
	MailEvery: 30 * time.Millisecond,
	Patience:  2 * time.Second,
}

func proven(user string) string {
	return token.Make("0123456789abcdef", user, true, time.Now().Add(time.Hour))
}

// visit lets the crowd loose on app for d and returns what it met.
func visit(t *testing.T, app *apptest.App, cfg honest.Config, d time.Duration) honest.Stats {
	t.Helper()
	server := httptest.NewServer(app.Handler())
	defer server.Close()
	crowd, err := honest.Join(t.Context(), server.Listener.Addr().String(), cfg, proven)
	if err != nil {
		t.Fatal(err)
	}
	phase := crowd.Begin("visit")
	time.Sleep(d)
	crowd.Leave(cfg.Patience)
	return phase.Stats()
}

func TestUsersOfAWorkingAppGetEverythingDone(t *testing.T) {
	s := visit(t, &apptest.App{}, config, 400*time.Millisecond)
	for _, kind := range honest.Kinds {
		k := s.Kinds[kind]
		if k.Planned == 0 || len(k.Latencies) != k.Planned {
			t.Errorf("%s: %d of %d done, failures %v; want all", kind, len(k.Latencies), k.Planned, k.Failures)
		}
	}
	if s.Dropped != 0 || s.Abandoned != 0 {
		t.Errorf("%d websockets dropped and %d operations abandoned, want none", s.Dropped, s.Abandoned)
	}
}

func TestAWebsocketThatTheAppClosesIsDropped(t *testing.T) {
	cfg := config
	cfg.OpenEvery = time.Hour // they close after one echo themselves
	s := visit(t, &apptest.App{CloseAfter: 3}, cfg, 400*time.Millisecond)
	if s.Dropped < cfg.Users {
		t.Errorf("%d websockets dropped, want each of the %d users to have lost one", s.Dropped, cfg.Users)
	}
	if s.Kinds[honest.Echo].Failed() == 0 {
		t.Error("no echo failed while the websockets were gone")
	}
}

func TestRefusedWebsocketsAreFailures(t *testing.T) {
	// Room for the kept ones and no other.
	server := httptest.NewServer((&apptest.App{MaxUsers: config.Users}).Handler())
	defer server.Close()
	crowd, err := honest.Join(t.Context(), server.Listener.Addr().String(), config, proven)
	if err != nil {
		t.Fatal(err)
	}
	phase := crowd.Begin("visit")
	time.Sleep(300 * time.Millisecond)
	s := phase.Stats() // before anybody leaves and makes room
	crowd.Leave(config.Patience)
	k := s.Kinds[honest.Open]
	if len(k.Latencies) != 0 || k.Failures["max_children"] == 0 || k.Failures["max_children"] != k.Failed() {
		t.Errorf("%d of %d opened, failures %v; want none opened, and no failure but max_children", len(k.Latencies), k.Planned, k.Failures)
	}
	if s.Dropped != 0 {
		t.Errorf("%d kept websockets dropped, want none: they were not touched", s.Dropped)
	}
}

func TestAWrongEchoIsAFailure(t *testing.T) {
	s := visit(t, &apptest.App{Garble: true}, config, 200*time.Millisecond)
	for _, kind := range []honest.Kind{honest.Echo, honest.Open} {
		if k := s.Kinds[kind]; k.Failures["wrong_answer"] == 0 || len(k.Latencies) != 0 {
			t.Errorf("%s: %d done, failures %v; want only wrong answers", kind, len(k.Latencies), k.Failures)
		}
	}
}

func TestLatencyCountsFromTheIntendedTime(t *testing.T) {
	app := &apptest.App{Stall: make(chan struct{})}
	const stall = 300 * time.Millisecond
	time.AfterFunc(stall, func() { close(app.Stall) })
	s := visit(t, app, config, 400*time.Millisecond)
	// One echo after the other is due all through the stall. A closed loop would have seen one slow echo for each user.
	slow := 0
	for _, d := range s.Kinds[honest.Echo].Latencies {
		if d > stall/3 {
			slow++
		}
	}
	if least := 4 * config.Users; slow < least {
		t.Errorf("%d slow echoes, want at least %d: everything due in the stall was late", slow, least)
	}
}

func TestUnansweredEchoesFailAfterPatience(t *testing.T) {
	app := &apptest.App{Stall: make(chan struct{})}
	cfg := config
	cfg.Patience = 100 * time.Millisecond
	cfg.OpenEvery = time.Hour
	time.AfterFunc(time.Second, func() { close(app.Stall) })
	s := visit(t, app, cfg, 300*time.Millisecond)
	if k := s.Kinds[honest.Echo]; k.Failures["timeout"] == 0 || len(k.Latencies) != 0 {
		t.Errorf("%d echoes done, failures %v; want only timeouts", len(k.Latencies), k.Failures)
	}
}

func TestJoinFailsWithoutRoom(t *testing.T) {
	server := httptest.NewServer((&apptest.App{MaxUsers: 1}).Handler())
	defer server.Close()
	if crowd, err := honest.Join(t.Context(), server.Listener.Addr().String(), config, proven); err == nil {
		crowd.Leave(0)
		t.Error("three users joined an app that takes one")
	}
}

func TestEveryoneNoticesTheEndOfTheApp(t *testing.T) {
	app := &apptest.App{CloseAfter: 1, Stall: make(chan struct{})}
	server := httptest.NewServer(app.Handler())
	crowd, err := honest.Join(t.Context(), server.Listener.Addr().String(), config, proven)
	if err != nil {
		t.Fatal(err)
	}
	phase := crowd.Begin("the end")
	server.Listener.Close() // no way back
	close(app.Stall)        // until now no websocket was answered, and so none was closed
	crowd.AwaitLoss(5 * time.Second)
	crowd.Leave(100 * time.Millisecond)
	server.Close()
	if s := phase.Stats(); s.Dropped != config.Users {
		t.Errorf("%d websockets dropped, want %d", s.Dropped, config.Users)
	}
}
