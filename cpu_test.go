package headcount

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"runtime/pprof"
	"sync"
	"testing"
	"time"
)

// burn keeps a core busy until ctx ends.
func burn(ctx context.Context) error {
	for n := 0; ; n++ {
		if n%1000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

func cpuTree(t *testing.T) (app *Supervisor, busy, idle *DynamicSupervisor) {
	t.Helper()
	busy, idle = NewDynamicSupervisor("busy", MaxChildren(4)), NewDynamicSupervisor("idle", MaxChildren(4))
	app = NewSupervisor("app", SupervisorConfig{}, busy, idle)
	startTree(t, app)
	mustGo(t, idle, untilStopped)
	return app, busy, idle
}

func TestTheCPUTimeIsThatOfWhoBurnsIt(t *testing.T) {
	app, busy, idle := cpuTree(t)
	mustGo(t, busy, func(ctx context.Context) error {
		go func() { _ = burn(ctx) }() // a stray's time is that of its path
		return burn(ctx)
	})
	c, err := app.CPU(t.Context(), 500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if c.Total != c.Supervised+c.Elsewhere+c.Outside || c.For < 500*time.Millisecond {
		t.Errorf("%+v does not add up", c)
	}
	if c.Supervised < 50*time.Millisecond || len(c.Paths) == 0 || c.Paths[0].Path != "app/busy" || c.Paths[0].CPU < 9*c.Supervised/10 {
		t.Errorf("%+v, want nearly all of it to be that of app/busy", c)
	}
	// The same profile, seen from below: it is not made anew so soon.
	other, err := idle.CPU(t.Context(), 100*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if !other.Time.Equal(c.Time) || other.Supervised > c.Supervised/10 || other.Elsewhere < 9*c.Supervised/10 {
		t.Errorf("%+v of the idle one, want the same profile with the time elsewhere", other)
	}
}

func TestACPUProfileIsRefusedWhileAnotherIsMade(t *testing.T) {
	app, _, _ := cpuTree(t)
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Fatal(err)
	}
	_, err := app.CPU(t.Context(), MinCPUProfile)
	pprof.StopCPUProfile()
	if !errors.Is(err, ErrProfileRunning) {
		t.Errorf("error %v, want %v", err, ErrProfileRunning)
	}
	if _, err := app.CPU(t.Context(), MinCPUProfile); err != nil {
		t.Errorf("after its end: %v", err)
	}
}

func TestRequestsForCPUShareOneProfile(t *testing.T) {
	app, _, _ := cpuTree(t)
	var all sync.WaitGroup
	times := make([]time.Time, 4)
	for i := range times {
		all.Go(func() {
			c, err := app.CPU(t.Context(), 200*time.Millisecond)
			if err != nil {
				t.Error(err)
			}
			times[i] = c.Time
		})
	}
	all.Wait()
	for _, at := range times[1:] {
		if !at.Equal(times[0]) {
			t.Errorf("profiles of %v, want one", times)
		}
	}
}

func TestACPUProfileIsBrokenOffWithItsContext(t *testing.T) {
	app, _, _ := cpuTree(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := app.CPU(ctx, MaxCPUProfile); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want that of the context", err)
	}
	if took := time.Since(began); took > MaxCPUProfile/2 {
		t.Errorf("it took %v", took)
	}
	if _, err := app.CPU(t.Context(), MinCPUProfile); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

func TestTheTimeOfACPUProfileIsBounded(t *testing.T) {
	app := NewDynamicSupervisor("app", MaxChildren(1))
	for _, d := range []time.Duration{-1, 0, MinCPUProfile - 1, MaxCPUProfile + 1} {
		var wrong *ConfigError
		if _, err := app.CPU(t.Context(), d); !errors.As(err, &wrong) {
			t.Errorf("%v: error %v, want a ConfigError", d, err)
		}
	}
}

func FuzzCPUProfile(f *testing.F) {
	var raw bytes.Buffer
	if err := pprof.StartCPUProfile(&raw); err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	pprof.Do(ctx, pprof.Labels(labelSupervisor, "app/busy"), func(ctx context.Context) { _ = burn(ctx) })
	pprof.StopCPUProfile()
	z, err := gzip.NewReader(&raw)
	if err != nil {
		f.Fatal(err)
	}
	real, err := io.ReadAll(z)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := parseCPUProfile(real); err != nil {
		f.Fatal(err)
	}
	// One sample of 7 ns with the label, and then the strings.
	small := []byte("\x0a\x02\x10\x03\x12\x09\x12\x01\x07\x1a\x04\x08\x01\x10\x02\x32\x00\x32\x09headcount\x32\x01a\x32\x0bnanoseconds")
	if p, err := parseCPUProfile(small); err != nil || p.paths["a"] != 7 || p.total != 7 {
		f.Fatalf("%+v, %v", p, err)
	}
	f.Add(real)
	f.Add(small)
	f.Add([]byte("\x0a\x02\x10\x00\x12\x0c\x12\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x32\x0bnanoseconds"))
	f.Add([]byte("\x32\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseCPUProfile(data)
		if err != nil {
			return
		}
		var sum time.Duration
		for path, cpu := range p.paths {
			if path == "" || cpu < 0 {
				t.Errorf("%v of %q", cpu, path)
			}
			sum += cpu
		}
		if sum > p.total {
			t.Errorf("the paths have %v of %v", sum, p.total)
		}
	})
}
