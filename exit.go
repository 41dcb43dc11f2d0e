package headcount

import "errors"

// An exit is how a run, or a child, ended.
type exit struct {
	kind exitKind
	err  error
}

type exitKind uint8

const (
	exitNormal exitKind = iota
	exitStopped
	exitError
	exitPanic
	exitGoexit
	exitKinds
)

// abnormal tells whether a transient child is restarted after this exit.
func (x exit) abnormal() bool { return x.kind >= exitError }

// ExitCounts is the number of children that have ended, by how.
type ExitCounts struct {
	Normal  uint64 // Run returned nil, or its own context's cancellation
	Stopped uint64 // the same, after a stop was asked for
	Error   uint64
	Panic   uint64
	Goexit  uint64
}

// Total adds all kinds up.
func (c ExitCounts) Total() uint64 { return c.Normal + c.Stopped + c.Error + c.Panic + c.Goexit }

func exitCounts(n [exitKinds]uint64) ExitCounts {
	return ExitCounts{Normal: n[exitNormal], Stopped: n[exitStopped], Error: n[exitError], Panic: n[exitPanic], Goexit: n[exitGoexit]}
}

// judge tells what kind of exit a return is. Only the child's own cancelled context makes an error a stop.
func (c *Child) judge(run *runContext, err error) exit {
	if err == nil {
		if c.flags.Load()&flagStopping != 0 {
			return exit{exitStopped, nil}
		}
		return exit{}
	}
	if c.toldByOurs(err) {
		return exit{exitError, err}
	}
	if errors.Is(err, ErrIgnore) {
		return exit{exitNormal, ErrIgnore}
	}
	if own := run.Err(); own != nil && errors.Is(err, own) {
		switch flags := c.flags.Load(); {
		case flags&flagDo != 0:
			return exit{exitStopped, err} // the caller waits for it, and is told
		case flags&flagStopping != 0:
			return exit{exitStopped, nil}
		}
		return exit{}
	}
	return exit{exitError, err}
}

// toldByOurs reports whether err is that of a supervisor that failed. The error in it is a child's: what that matches
// does not matter here, and its methods are not to be called on a supervisor's goroutine.
func (c *Child) toldByOurs(err error) bool {
	if x := c.extra.Load(); x == nil || x.spec.sup == nil {
		return false
	}
	switch err.(type) {
	case *IntensityError, *StartError, *leftError:
		return true
	}
	return false
}
