package attack_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/headcount-go/headcount/internal/attack"
)

func TestAttackRefusesAnAddressThatIsNotLoopback(t *testing.T) {
	t.Parallel()
	b := attack.Budget{Conns: 1, BytesPerSecond: 1, Identities: 1, For: time.Millisecond}
	for _, addr := range []string{
		"192.0.2.1:80", "[2001:db8::1]:80", "0.0.0.0:80", "[::]:80", "10.0.0.1:80", "128.0.0.1:80", "[::ffff:192.0.2.1]:80",
		"victim.test:80", "localhost:80", "127.0.0.1", ":80", "",
	} {
		for _, a := range attack.All() {
			if _, err := a.Run(t.Context(), attack.Target{Addr: addr}, b); !errors.Is(err, attack.ErrNotLoopback) {
				t.Errorf("%s on %q: %v, want ErrNotLoopback", a.Name, addr, err)
			}
		}
	}
}

func TestAttackRefusesABudgetWithoutBounds(t *testing.T) {
	t.Parallel()
	whole := attack.Budget{Conns: 1, BytesPerSecond: 1, Identities: 1, For: time.Second}
	for _, spoil := range []func(*attack.Budget){
		func(b *attack.Budget) { b.Conns = 0 },
		func(b *attack.Budget) { b.BytesPerSecond = -1 },
		func(b *attack.Budget) { b.Identities = 0 },
		func(b *attack.Budget) { b.For = 0 },
	} {
		b := whole
		spoil(&b)
		if _, err := attack.All()[0].Run(t.Context(), attack.Target{Addr: "127.0.0.1:1"}, b); err == nil {
			t.Errorf("%+v was accepted", b)
		}
	}
}

func TestAttackOnHTTP2RefusesATargetWithoutTLS(t *testing.T) {
	t.Parallel()
	b := attack.Budget{Conns: 1, BytesPerSecond: 1, Identities: 1, For: time.Second}
	if _, err := named(t, "rapid-reset").Run(t.Context(), attack.Target{Addr: "127.0.0.1:1"}, b); err == nil {
		t.Error("it was begun")
	}
}

// That all goroutines have ended is checked when the tests of the package are over.
func TestEveryAttackTakesPlaceAndKeepsItsBudget(t *testing.T) {
	t.Parallel()
	for _, a := range attack.All() {
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			v := newVictim(t, a.Needs.TLS || a.Needs.HTTP2, nil)
			b := attack.Budget{Conns: 6, BytesPerSecond: 400_000, Identities: 4, For: 400 * time.Millisecond}
			began := time.Now()
			stats, err := a.Run(t.Context(), v.Target, b)
			took := time.Since(began)
			if err != nil {
				t.Fatal(err)
			}
			if stats.Sent == 0 || v.read.Load() == 0 && a.Name != "conn-flood-one" && a.Name != "conn-flood-many" {
				t.Errorf("nothing was sent: %+v", stats)
			}
			peak, sources := v.opened()
			if stats.PeakOpen > b.Conns {
				t.Errorf("%d connections open at once by its own count, budget %d", stats.PeakOpen, b.Conns)
			}
			// Once it has closed some, the server may see the new ones before the end of the old ones.
			if peak > b.Conns && stats.Opened <= b.Conns {
				t.Errorf("%d connections open at once, budget %d", peak, b.Conns)
			}
			if sources > b.Identities {
				t.Errorf("connections from %d addresses, budget %d", sources, b.Identities)
			}
			// A write that has begun when the time is over is within the budget of the time that it waited for.
			if most := int64(float64(b.BytesPerSecond)*(b.For.Seconds()+0.1)) + 16<<10; v.read.Load() > most {
				t.Errorf("%d bytes arrived, budget %d", v.read.Load(), most)
			}
			if took < b.For || took > b.For+5*time.Second {
				t.Errorf("it took %s, budget %s", took, b.For)
			}
		})
	}
}

func TestAttackEndsWithItsContext(t *testing.T) {
	t.Parallel()
	v := newVictim(t, false, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	b := attack.Budget{Conns: 4, BytesPerSecond: 100_000, Identities: 1, For: time.Minute}
	if _, err := named(t, "slow-header").Run(ctx, v.Target, b); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}
