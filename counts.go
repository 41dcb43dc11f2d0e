package headcount

// Counts are the numbers of one supervisor. Reading them costs the same whatever the number of children.
type Counts struct {
	Limit      int // in force; [Unlimited] if none is
	Running    int // slots held: children that run, restart, stop or are stuck, and starts about to run
	Restarting int // of these, between two runs
	Stuck      int // of these, past their allowance
	Waiting    int // starts that wait for a slot
	Peak       int // the most slots ever held at once

	Started  uint64
	Restarts uint64
	Refused  RefusedCounts
	Exits    ExitCounts
	Bytes    int64 // charged by children
	MaxBytes int64 // their budget; zero is none

	Lifetimes Histogram // of children that have ended
	Waits     Histogram // of starts that had to wait
}

// Counts gives the numbers of the supervisor.
func (d *dynamic) Counts() Counts {
	word := d.own.word.Load()
	c := Counts{
		Limit: limitOf(word), Running: countOf(word), Restarting: int(d.restarting.Load()), Stuck: min(int(d.stuck.Load()), countOf(word)),
		Waiting: d.queue.waiting(), Peak: int(d.own.peak.Load()),
		Restarts: d.restarts.Load(), Refused: d.refusedCounts(), Bytes: d.held.total(), MaxBytes: d.held.limit,
	}
	c.Started, c.Exits, c.Lifetimes = d.registry.totals()
	d.queue.addWaitsTo(&c.Waits)
	return c
}
