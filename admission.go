package headcount

import "context"

// take tries to take all slots of one start.
func (d *dynamic) take(class Class, pass bool) admission {
	share := d.share(class)
	if v := judge(d.own.word.Load(), share, pass); v != admitted {
		return admission{verdict: v, blocked: &d.own}
	}
	chain := d.place.Load().chain
	if b := chain.blocked(); b != nil {
		return admission{verdict: full, blocked: b}
	}
	gap(beforeOwn)
	if v := d.own.take(share, pass); v != admitted {
		return admission{verdict: v, blocked: &d.own}
	}
	if len(chain) == 0 {
		return admission{}
	}
	blocked, serve := chain.take()
	if blocked != nil {
		return admission{verdict: full, blocked: blocked, serve: d.giveBackOwn() || serve}
	}
	return admission{serve: serve}
}

// plainlyFull is the short way to a refusal, which must cost next to nothing: the supervisor is full, and nobody waits.
func (d *dynamic) plainlyFull() bool {
	return d.queue.length == 0 && d.queue.sup != nil && plainlyFull(d.own.word.Load())
}

// admit takes the slots of one start, waiting for them if that is allowed here.
func (d *dynamic) admit(ctx context.Context, class Class, roomy bool) error {
	a := d.take(class, false)
	if a.serve {
		d.serve()
	}
	switch {
	case a.verdict == admitted:
		return nil
	case a.verdict == closed, !roomy && d.queue.length == 0 && a.verdict != mustQueue:
		return d.refusal(a)
	case !roomy && d.queue.refuses(class):
		return d.refuse(d.own.refusals.Load().queueFull)
	}
	return d.queue.admit(ctx, &waiter{class: class, claim: plainClaim{d, class}, roomy: roomy}, a)
}

// A plainClaim is the claim of a start without a key.
type plainClaim struct {
	d     *dynamic
	class Class
}

func (p plainClaim) take(pass bool) admission { return p.d.take(p.class, pass) }
func (p plainClaim) key() (key any, most int) { return nil, -1 }
func (p plainClaim) perKey() *Refusal         { return nil }
func (p plainClaim) stale() bool              { return false }
func (p plainClaim) renew() (func(), error)   { return func() {}, nil }

// refusal gives the error for what became of a try, and counts it.
func (d *dynamic) refusal(a admission) error {
	switch a.verdict {
	case admitted:
		return nil
	case closed:
		return d.notRunning()
	case stale:
		return errStale
	case fullForClass:
		return d.refuse(d.own.refusals.Load().priority)
	case mustQueue:
		// Others wait, and here it may not: for the reason that they do.
		if b := d.place.Load().chain.blocked(); b != nil {
			return d.refuse(b.refusals.Load().full)
		}
		return d.refuse(d.own.refusals.Load().full)
	case keyFull:
		return d.refuse(a.perKey)
	}
	return d.refuse(a.blocked.refusals.Load().full)
}

// share is the part of the limit that a class may fill.
func (d *dynamic) share(class Class) float64 {
	if int(class) < len(d.opts.shares) {
		return d.opts.shares[class]
	}
	return 1
}
