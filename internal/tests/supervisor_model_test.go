package tests

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
	"pgregory.net/rapid"
)

// The plain model of a Supervisor whose restarts take no time: what OTP's rules say about states and runs.
type model struct {
	strategy headcount.Strategy
	children []*modelChild
	made     int
}

type modelChild struct {
	*actor
	restart headcount.Restart
	running bool
	ran     int // how often it should have been run
}

const modelLimit = 6

// An operation is drawn as two numbers: what, and on which child.
type operation struct{ what, which int }

var operations = []string{"fail", "panic", "finish", "terminate", "restart", "delete", "add permanent", "add transient", "add temporary"}

// run is a child that runs again, or for the first time.
func (c *modelChild) run() { c.running, c.ran = true, c.ran+1 }

func (m *model) remove(i int) { m.children = append(m.children[:i:i], m.children[i+1:]...) }

// group restarts what the strategy says when child i has failed (S28 to S30).
func (m *model) group(i int) {
	first := i
	switch m.strategy {
	case headcount.OneForOne:
		m.children[i].run()
		return
	case headcount.OneForAll:
		first = 0
	}
	kept := m.children[:first:first]
	for _, c := range m.children[first:] {
		if c.restart == headcount.Temporary {
			continue
		}
		c.run()
		kept = append(kept, c)
	}
	m.children = kept
}

// do performs one operation on the supervisor and on the model, and returns what they disagree about.
func (m *model) do(op operation, top *headcount.Supervisor, d *diary) error {
	ctx := context.Background()
	what := operations[op.what]
	if kind, add := strings.CutPrefix(what, "add "); add {
		c := &modelChild{actor: d.actor(fmt.Sprint("c", m.made)), restart: map[string]headcount.Restart{
			"permanent": headcount.Permanent, "transient": headcount.Transient, "temporary": headcount.Temporary}[kind]}
		m.made++
		_, err := top.StartChild(ctx, c.as(c.restart))
		if full := len(m.children) == modelLimit; full != errors.Is(err, headcount.ErrMaxChildren) || !full && err != nil {
			return fmt.Errorf("with %d children StartChild returned %v", len(m.children), err)
		} else if !full {
			c.run()
			m.children = append(m.children, c)
		}
		return nil
	}
	if len(m.children) == 0 {
		return nil
	}
	i := op.which % len(m.children)
	c := m.children[i]
	switch what {
	case "fail", "panic", "finish":
		if !c.running {
			return nil
		}
		c.ends(map[string]func() error{"fail": fails, "panic": panics, "finish": finishes}[what])
		c.running = false
		switch {
		case c.restart == headcount.Temporary:
			m.remove(i)
		case c.restart == headcount.Transient && what == "finish":
		default:
			m.group(i)
		}
	case "terminate":
		if err := top.TerminateChild(ctx, c.name); err != nil {
			return fmt.Errorf("TerminateChild: %w", err)
		}
		c.running = false
		if c.restart == headcount.Temporary {
			m.remove(i)
		}
	case "restart":
		if _, err := top.RestartChild(ctx, c.name); (err != nil) != c.running {
			return fmt.Errorf("RestartChild of a child that runs (%v): %v", c.running, err)
		}
		if !c.running {
			c.run()
		}
	case "delete":
		if err := top.DeleteChild(ctx, c.name); (err != nil) != c.running {
			return fmt.Errorf("DeleteChild of a child that runs (%v): %v", c.running, err)
		}
		if !c.running {
			m.remove(i)
		}
	}
	return nil
}

// compare finds a difference between the supervisor, seen from outside and from inside its children, and the model.
func (m *model) compare(top *headcount.Supervisor) error {
	infos := top.Children()
	if len(infos) != len(m.children) {
		return fmt.Errorf("%d children listed, want %d", len(infos), len(m.children))
	}
	for i, c := range m.children {
		state, alive := headcount.StateStopped, int32(0)
		if c.running {
			state, alive = headcount.StateRunning, 1
		}
		if infos[i].Name != c.name || infos[i].State != state {
			return fmt.Errorf("place %d: %s is %s, want %s %s", i, infos[i].Name, infos[i].State, c.name, state)
		}
		if int(c.runs.Load()) != c.ran || c.alive.Load() != alive {
			return fmt.Errorf("%s was run %d times and has %d runs alive, want %d and %d", c.name, c.runs.Load(), c.alive.Load(), c.ran, alive)
		}
	}
	return nil
}

// Random histories of a Supervisor under each strategy, against the model. rapid prints the seed and shrinks what fails.
func TestASupervisorBehavesAsItsModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		strategy := rapid.SampledFrom([]headcount.Strategy{headcount.OneForOne, headcount.OneForAll, headcount.RestForOne}).Draw(r, "strategy")
		history := rapid.SliceOfN(rapid.Custom(func(r *rapid.T) operation {
			return operation{rapid.IntRange(0, len(operations)-1).Draw(r, "what"), rapid.IntRange(0, modelLimit-1).Draw(r, "which")}
		}), 1, 60).Draw(r, "history")
		var failure error
		synctest.Test(t, func(t *testing.T) { failure = live(strategy, history) })
		if failure != nil {
			r.Fatal(failure)
		}
	})
}

// live is one life of a supervisor with this history. It runs in a bubble, so it returns its failure.
func live(strategy headcount.Strategy, history []operation) error {
	var d diary
	m := &model{strategy: strategy}
	top := headcount.NewSupervisor("top", headcount.SupervisorConfig{
		Strategy: strategy, Backoff: quick, Intensity: plenty, MaxChildren: headcount.MaxChildren(modelLimit),
	})
	if err := top.Start(context.Background()); err != nil {
		return err
	}
	var failure error
	for i, op := range history {
		if failure = m.do(op, top, &d); failure == nil {
			time.Sleep(time.Minute)
			synctest.Wait()
			failure = m.compare(top)
		}
		if failure != nil {
			failure = fmt.Errorf("%v, operation %d (%s): %w", strategy, i, operations[op.what], failure)
			break
		}
	}
	d.lines = nil
	if err := top.Stop(context.Background()); err != nil && failure == nil {
		return fmt.Errorf("Stop: %w", err)
	}
	if failure != nil {
		return failure
	}
	var want []string // the reverse of the start order
	for i := len(m.children) - 1; i >= 0; i-- {
		if m.children[i].running {
			want = append(want, "-"+m.children[i].name)
		}
	}
	if got := strings.Join(d.lines, " "); got != strings.Join(want, " ") {
		return fmt.Errorf("stopped in the order %q, want %q", got, strings.Join(want, " "))
	}
	return nil
}
