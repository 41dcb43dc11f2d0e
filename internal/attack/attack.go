package attack

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Attack is one way to wear out a server.
type Attack struct {
	Name  string
	About string // what it does, in one line
	Needs Needs
	// Usual is the budget that shows the attack on a small machine. Its For is 0: the caller knows how long.
	Usual Budget

	begin func(*campaign)
}

// Needs says what a server must speak for an attack to make sense.
type Needs struct {
	TLS   bool
	HTTP2 bool // over TLS
	Proxy bool // the PROXY protocol; a server that does not speak it is attacked all the same, with rubbish
}

// Target is what an attacker knows of its victim.
type Target struct {
	// Addr is an address and a port, no name.
	Addr string
	// TLS is the configuration for connecting; nil means without TLS.
	TLS *tls.Config
}

// Budget bounds what an attacker uses. Every field must be above zero.
type Budget struct {
	// Conns is the number of connections open at once.
	Conns int
	// BytesPerSecond bounds what is written, with a fixed charge for each connection opened.
	BytesPerSecond int
	// Identities is the number of source addresses or, in attacks that invent them, of users, tokens or header values.
	Identities int
	// For is how long the attack lasts.
	For time.Duration
}

// ErrNotLoopback is returned for a target that is not a loopback address.
var ErrNotLoopback = errors.New("attacks go to loopback addresses only")

// Run attacks until the time of the budget is over or ctx is done, and returns when nothing of the attack is left. The
// error is about what was asked for, never about what the target did.
func (a Attack) Run(ctx context.Context, target Target, b Budget) (Stats, error) {
	addr, err := netip.ParseAddrPort(target.Addr)
	if err != nil {
		return Stats{}, fmt.Errorf("%w: %w", ErrNotLoopback, err)
	}
	if !addr.Addr().Unmap().IsLoopback() {
		return Stats{}, fmt.Errorf("%w: %s", ErrNotLoopback, addr)
	}
	if b.Conns < 1 || b.BytesPerSecond < 1 || b.Identities < 1 || b.For <= 0 {
		return Stats{}, fmt.Errorf("every part of a budget must be above zero: %+v", b)
	}
	if (a.Needs.TLS || a.Needs.HTTP2) && target.TLS == nil {
		return Stats{}, fmt.Errorf("attack %s needs a target with TLS", a.Name)
	}
	ctx, cancel := context.WithTimeout(ctx, b.For)
	defer cancel()
	c := newCampaign(ctx, target, addr, b)
	a.begin(c)
	c.workers.Wait()
	return c.tally.stats(), nil
}

// All returns every attack, the cheap ones at the level of connections first.
func All() []Attack {
	var all []Attack
	for _, group := range [][]Attack{floods, slow, http2Attacks, requests, websockets} {
		all = append(all, group...)
	}
	return all
}

// ByName returns the attack of that name.
func ByName(name string) (Attack, error) {
	for _, a := range All() {
		if a.Name == name {
			return a, nil
		}
	}
	return Attack{}, fmt.Errorf("no attack %q", name)
}
