package attack_test

import (
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headcount-go/headcount/internal/attack"
)

// ample is a budget for attacks that hold conns connections.
func ample(conns int) attack.Budget {
	return attack.Budget{Conns: conns, BytesPerSecond: 1_000_000, Identities: conns, For: 600 * time.Millisecond}
}

func TestSlowHeaderHoldsConnectionsAndReachesNoHandler(t *testing.T) {
	t.Parallel()
	v := newVictim(t, false, nil)
	stats := run(t, "slow-header", v, ample(30))
	if peak, _ := v.opened(); peak != 30 || stats.Closed != 0 {
		t.Errorf("%d connections held, %d closed by the server, want 30 and none", peak, stats.Closed)
	}
	if n := v.counts.Now().Entered; n != 0 {
		t.Errorf("%d requests got to the handler", n)
	}
}

func TestSlowHeaderSeesThatTheServerDefendsItself(t *testing.T) {
	t.Parallel()
	v := newVictim(t, false, func(s *http.Server) { s.ReadHeaderTimeout = 50 * time.Millisecond })
	stats := run(t, "slow-header", v, ample(10))
	if stats.Closed < 10 || stats.Opened <= 10 {
		t.Errorf("%d connections closed, %d opened, want all closed and new ones opened", stats.Closed, stats.Opened)
	}
}

func TestSlowBodyHoldsHandlers(t *testing.T) {
	t.Parallel()
	v := newVictim(t, false, nil)
	run(t, "slow-body", v, ample(30))
	if n := v.counts.Now().PeakHandlers; n != 30 {
		t.Errorf("%d requests in handlers, want 30", n)
	}
}

func TestRefusedBodyHoldsConnectionsWhoseHandlerHasReturned(t *testing.T) {
	t.Parallel()
	v := newVictim(t, false, nil)
	stats := run(t, "refused-body", v, ample(30))
	if n := v.counts.Now().Entered; n != 30 {
		t.Errorf("%d requests got to the handler, want 30", n)
	}
	// The server reads on before it answers, up to 256 KiB.
	if peak, _ := v.opened(); peak != 30 || stats.Closed != 0 || stats.Refused != 0 {
		t.Errorf("%d connections held, %d closed, %d answered, want 30, 0, 0", peak, stats.Closed, stats.Refused)
	}
}

func TestSlowReaderHoldsHandlers(t *testing.T) {
	t.Parallel()
	v := newVictim(t, false, nil)
	run(t, "slow-reader", v, ample(10))
	if n := v.counts.Now().PeakHandlers; n != 10 {
		t.Errorf("%d requests in handlers, want 10", n)
	}
}

func TestStalledHandshakesHoldConnections(t *testing.T) {
	t.Parallel()
	v := newVictim(t, true, nil)
	stats := run(t, "stalled-tls", v, ample(20))
	if peak, _ := v.opened(); peak != 20 || stats.Closed != 0 {
		t.Errorf("%d connections held, %d closed, want 20 and none", peak, stats.Closed)
	}
}

func TestIdleHoardKeepsConnectionsAfterOneAnswer(t *testing.T) {
	t.Parallel()
	v := newVictim(t, false, nil)
	stats := run(t, "idle-hoard", v, ample(20))
	if peak, _ := v.opened(); peak != 20 || stats.Accepted != 20 || stats.Closed != 0 {
		t.Errorf("%d connections held, %d answers, %d closed, want 20, 20, 0", peak, stats.Accepted, stats.Closed)
	}
}

func TestFloodFromManyComesFromANetworkEach(t *testing.T) {
	t.Parallel()
	v := newVictim(t, false, nil)
	run(t, "conn-flood-many", v, ample(40))
	networks := make(map[string]bool)
	v.mu.Lock()
	defer v.mu.Unlock()
	for source := range v.sources {
		networks[source[:len(source)-2]] = true // hosts are .1 here
	}
	if len(networks) != 40 {
		t.Errorf("%d networks, want 40", len(networks))
	}
}

func TestRapidResetCancelsWhatItAskedFor(t *testing.T) {
	t.Parallel()
	var begun, cancelled atomic.Int64
	v := newVictim(t, true, func(s *http.Server) {
		s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			begun.Add(1)
			<-r.Context().Done()
			cancelled.Add(1)
		})
	})
	stats := run(t, "rapid-reset", v, attack.Budget{Conns: 4, BytesPerSecond: 200_000, Identities: 4, For: time.Second})
	v.eventually(t, "all handlers to be cancelled", func() bool { return begun.Load() == cancelled.Load() })
	if begun.Load() < 100 || stats.Sent < 100 {
		t.Errorf("%d streams sent, %d handlers begun, want hundreds", stats.Sent, begun.Load())
	}
}

func TestMadeYouResetHasTheServerReset(t *testing.T) {
	t.Parallel()
	v := newVictim(t, true, nil)
	stats := run(t, "made-you-reset", v, attack.Budget{Conns: 2, BytesPerSecond: 50_000, Identities: 2, For: time.Second})
	if stats.Reset < 50 {
		t.Errorf("the server reset %d streams of %d", stats.Reset, stats.Sent)
	}
}

func TestContinuationFramesGoOnUntilTheServerHasEnough(t *testing.T) {
	t.Parallel()
	v := newVictim(t, true, func(s *http.Server) { s.MaxHeaderBytes = 16 << 10 })
	stats := run(t, "continuation", v, attack.Budget{Conns: 2, BytesPerSecond: 4_000_000, Identities: 2, For: time.Second})
	if stats.Opened <= 2 || stats.Sent < 4 {
		t.Errorf("%d connections and %d frames, want more of both: the server closes and is attacked again", stats.Opened, stats.Sent)
	}
}

func TestStreamsFillEveryConnection(t *testing.T) {
	t.Parallel()
	v := newVictim(t, true, func(s *http.Server) { s.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 10} })
	run(t, "streams", v, ample(5))
	if n := v.counts.Now().PeakHandlers; n != 50 {
		t.Errorf("%d requests in handlers, want 5 x 10", n)
	}
}

func TestWebsocketsAreHeld(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"ws-flood", "ws-never-reads"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, false, nil)
			stats := run(t, name, v, ample(10))
			if n := v.counts.Now().PeakHandlers; n != 10 || stats.Accepted != 10 {
				t.Errorf("%d requests in handlers, %d upgrades, want 10", n, stats.Accepted)
			}
		})
	}
}

func TestHugeMessageIsRefusedAndSentAgain(t *testing.T) {
	t.Parallel()
	v := newVictim(t, false, nil)
	if stats := run(t, "ws-huge", v, ample(4)); stats.Accepted <= 4 {
		t.Errorf("%d websockets, want new ones for those that the server has closed", stats.Accepted)
	}
}

func TestCrashStormReachesTheHandlerAgainAndAgain(t *testing.T) {
	t.Parallel()
	v := newVictim(t, false, nil)
	run(t, "crash-storm", v, ample(4))
	if n := v.counts.Now().Entered; n <= 4 {
		t.Errorf("%d panics, want more than one for each connection", n)
	}
}

func TestSpoofedAddressesAndInventedTokensAreMany(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{"forwarded-spoof": "X-Forwarded-For", "identities": "Authorization"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			values := make(map[string]bool)
			v := newVictim(t, false, func(s *http.Server) {
				s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					mu.Lock()
					defer mu.Unlock()
					values[r.Header.Get(header)] = true
					_, _ = io.WriteString(w, "ok")
				})
			})
			b := ample(4)
			b.Identities = 1_000_000
			stats := run(t, name, v, b)
			mu.Lock() // the last handlers may not have noticed the end
			defer mu.Unlock()
			if len(values) < 20 || len(values) < stats.Accepted*9/10 {
				t.Errorf("%d values in %d requests, want nearly as many", len(values), stats.Accepted)
			}
			if _, sources := v.opened(); name == "forwarded-spoof" && sources != 1 {
				t.Errorf("from %d addresses, want one", sources)
			}
		})
	}
}

func TestMalformedRequestsAreRefused(t *testing.T) {
	t.Parallel()
	v := newVictim(t, false, nil)
	b := ample(40)
	b.For = 1500 * time.Millisecond
	if stats := run(t, "malformed", v, b); stats.Refused < 20 {
		t.Errorf("%d of %d refused", stats.Refused, stats.Sent)
	}
}
