package headcount

import "time"

// stopChildren asks all children to stop at once, waits for each as long as its allowance says, and reports those that
// outlived it. The supervisor is closed: no child is admitted any more, and one that was admitted before but enters the
// registry after it has been read asks itself.
func (d *dynamic) stopChildren() *StuckError {
	began := d.now()
	next := d.askAll()
	for !d.empty() {
		timer := time.NewTimer(next)
		select {
		case <-d.drained:
		case <-timer.C:
		}
		timer.Stop()
		if d.empty() {
			break
		}
		waiting := false
		if waiting, next = d.markOverdue(d.now() - began); !waiting {
			break
		}
	}
	return d.stuckNow()
}

// empty reports whether the last child has gone, tail and all. The count comes first: a child holds its slot before it
// enters the registry, and is unfinished until after it has given it back.
func (d *dynamic) empty() bool { return d.own.count() == 0 && d.registry.unfinished() == 0 }

// forever stands for an allowance without end.
const forever = time.Duration(1<<63 - 1)

// askAll asks all children to stop and gives the shortest allowance.
func (d *dynamic) askAll() time.Duration {
	shortest := forever
	if d.own.count() > 0 { // a child that enters the registry late is not read below
		shortest = defaultShutdown
	}
	d.eachChild(func(c *Child) {
		c.ask()
		shortest = min(shortest, lasting(c.allowance()))
	})
	return shortest
}

// lasting gives an allowance as a time.
func lasting(allowance time.Duration) time.Duration {
	switch allowance {
	case ShutdownNow:
		return 0
	case ShutdownInfinity:
		return forever
	}
	return allowance
}

// markOverdue tells of the children whose allowance is over. It reports whether there are others, and when to look
// again for them: not more often than every ten milliseconds, so that a million allowances are not a million readings.
func (d *dynamic) markOverdue(elapsed time.Duration) (waiting bool, next time.Duration) {
	next = forever
	found := 0
	d.eachChild(func(c *Child) {
		found++
		allowance := lasting(c.allowance())
		if elapsed >= allowance {
			if c.markStuck(allowance) == nil { // its tail is all that is left
				waiting, next = true, 0
			}
			return
		}
		waiting = true
		if allowance != forever {
			next = min(next, allowance-elapsed)
		}
	})
	// What no child in the registry accounts for belongs to children on their way in or out.
	if !waiting && (d.own.count() > found || d.registry.unfinished() > found) {
		waiting, next = true, 0
	}
	return waiting, max(next, 10*time.Millisecond)
}

// eachChild calls f for the children in the registry, a page at a time.
func (d *dynamic) eachChild(f func(c *Child)) {
	for after := uint64(0); ; {
		children, next := d.registry.page(after, 512)
		for _, c := range children {
			f(c)
		}
		if next == 0 {
			return
		}
		after = next
	}
}
