package headcount

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/pprof"
	"slices"
	"time"
)

// A CPUCount tells whose the CPU time of the process was while a profile was made. The profiler looks a hundred times in
// a second of CPU time at what runs, so the times are good to about that, and what hardly ran may not be there.
//
// Whose a time is, the label says that a child's goroutines have for profiles: the path of its supervisor. A bare go
// statement passes it on, so what strays do is told at the path where they come from. A goroutine that has replaced its
// labels, as pprof.Do does, keeps this one.
type CPUCount struct {
	Time time.Time     // when the profile was begun: an answer may be from an earlier request
	For  time.Duration // how long it was made
	// Total is the CPU time of the process. It is Supervised, Elsewhere and Outside.
	Total time.Duration
	// Supervised is that of the children of this supervisor and of all below it.
	Supervised time.Duration
	// Elsewhere is that of other supervisors.
	Elsewhere time.Duration
	// Outside is nobody's: goroutines without a label, and the runtime with its garbage collector.
	Outside time.Duration

	Paths      []PathCPU // the hundred paths with most, the first with most
	PathsTotal int       // how many there are
}

// PathCPU is the CPU time of the goroutines that are labelled with the path of one supervisor.
type PathCPU struct {
	Path string
	CPU  time.Duration
}

// ErrProfileRunning is the error of [Supervisor.CPU] while something else makes a CPU profile of the process: there can
// be one at a time.
var ErrProfileRunning = errors.New("headcount: another CPU profile of this process is being made")

// The bounds of a CPU profile that is made on request.
const (
	MinCPUProfile = 100 * time.Millisecond
	MaxCPUProfile = 5 * time.Second
)

// CPU makes a CPU profile of the process for the time d and tells whose the CPU time was, by the paths of this supervisor
// and of those below it. d is between [MinCPUProfile] and [MaxCPUProfile], else the error is a [ConfigError].
//
// A profile costs little while it is made. One request of a tree makes one at a time, and then none for ten seconds:
// requests meanwhile get the same answer, with its time, whatever time they ask for. One that comes while another's is
// made waits for it. If ctx ends first, CPU returns its error, and a profile that it was making is broken off.
func (n *node) CPU(ctx context.Context, d time.Duration) (CPUCount, error) {
	switch {
	case ctx == nil:
		return CPUCount{}, &ConfigError{Path: n.Path(), Field: "ctx", Value: nil, Problem: "is nil"}
	case d < MinCPUProfile || d > MaxCPUProfile:
		return CPUCount{}, &ConfigError{Path: n.Path(), Field: "d", Value: d, Problem: fmt.Sprintf("is not between %v and %v", MinCPUProfile, MaxCPUProfile)}
	}
	p, err := n.top().cpu.get(ctx, func() (*cpuProfile, time.Duration, error) {
		p, err := takeCPUProfile(ctx, d)
		return p, cpuRest, err
	})
	if err != nil {
		return CPUCount{}, err
	}
	c := CPUCount{Time: p.time, For: p.lasted, Total: p.total, Outside: p.total}
	at := n.Path()
	for path, cpu := range p.paths {
		c.Outside -= cpu
		if path != at && !isBelow(path, at) {
			c.Elsewhere += cpu
			continue
		}
		c.Supervised += cpu
		c.Paths = append(c.Paths, PathCPU{path, cpu})
	}
	c.PathsTotal = len(c.Paths)
	slices.SortFunc(c.Paths, func(a, b PathCPU) int { return cmp.Or(cmp.Compare(b.CPU, a.CPU), cmp.Compare(a.Path, b.Path)) })
	c.Paths = slices.Clip(c.Paths[:min(len(c.Paths), maxReported)])
	return c, nil
}

// top is the root of the tree that the node is in.
func (n *node) top() *node {
	for {
		p := n.parent()
		if p == nil {
			return n
		}
		n = p
	}
}

// cpuRest is the time after a profile in which none is made.
const cpuRest = 10 * time.Second

func takeCPUProfile(ctx context.Context, d time.Duration) (*cpuProfile, error) {
	var raw boundedBuffer
	began := time.Now()
	if err := pprof.StartCPUProfile(&raw); err != nil {
		return nil, ErrProfileRunning // there is no other reason
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	pprof.StopCPUProfile()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if raw.full {
		return nil, errCPUProfileLarge
	}
	p, err := readCPUProfile(&raw.Buffer)
	if err != nil {
		return nil, err
	}
	p.time, p.lasted = began, time.Since(began).Round(time.Millisecond)
	return p, nil
}

// A boundedBuffer takes no more than maxCPUProfile.
type boundedBuffer struct {
	bytes.Buffer
	full bool
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if b.full = b.full || b.Len()+len(p) > maxCPUProfile; b.full {
		return 0, io.ErrShortWrite
	}
	return b.Buffer.Write(p)
}
