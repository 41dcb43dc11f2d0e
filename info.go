package headcount

import "time"

// State is what a child or a supervisor does at one moment.
type State string

// The states of a child.
const (
	StateStarting   State = "starting" // not ready yet
	StateRunning    State = "running"
	StateRestarting State = "restarting" // between two runs
	StateStopping   State = "stopping"   // asked to stop, not ended yet
	StateStuck      State = "stuck"      // has outlived its allowance
	StateStopped    State = "stopped"    // does not run; a declared one may be started again
)

// ChildInfo describes one child at one moment.
type ChildInfo struct {
	ID         uint64
	Name       string // its own, or its id
	Key        string // as shown, under a KeyedSupervisor
	Path       string
	Kind       Kind
	State      State
	Restart    Restart
	Started    time.Time
	Age        time.Duration
	Restarts   int   // since it was started
	Goroutines int   // its own, and those started by Go
	Bytes      int64 // charged
	LastError  error // of the run before this one, or of the last
	StuckFor   time.Duration
}

// Info describes the child.
func (c *Child) Info() ChildInfo {
	n := c.home.supervisor()
	now := n.now()
	i := ChildInfo{
		ID: c.id, Name: c.shownName(), Key: c.home.keyName(), Path: c.Path(),
		Restart: Temporary, Started: n.clock.epoch.Add(c.started), Age: now - c.started, Goroutines: 1,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	flags := c.flags.Load()
	i.State = stateOf(flags)
	if flags&flagEnded != 0 {
		i.Goroutines = 0
		i.LastError = c.resultLocked()
	}
	x := c.extra.Load()
	if x == nil {
		return i
	}
	i.Restart, i.Restarts, i.Bytes = x.spec.Restart, x.restarts, x.bytes
	i.Goroutines += x.helpers
	if x.spec.sup != nil {
		i.Kind = x.spec.sup.kind
	}
	if i.LastError == nil {
		i.LastError = x.lastErr
	}
	if i.State == StateStuck {
		i.StuckFor = now - x.stuckSince
	}
	return i
}

func stateOf(flags uint32) State {
	switch {
	case flags&flagEnded != 0:
		return StateStopped
	case flags&flagStuck != 0:
		return StateStuck
	case flags&flagStopping != 0:
		return StateStopping
	case flags&flagRestarting != 0:
		return StateRestarting
	case flags&flagStarting != 0:
		return StateStarting
	}
	return StateRunning
}
