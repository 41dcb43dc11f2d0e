package headcount

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// startFast starts so many children at one instant that ticks are made.
func startFast(t *testing.T, d *DynamicSupervisor, fn func(context.Context) error) {
	t.Helper()
	for range 4 * blockSize * len(d.registry.shards) {
		if _, err := d.Go(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
	if _, ticking := d.clock.roughly(); !ticking {
		t.Fatal("children came fast, and there are no ticks")
	}
}

func startClocked(t *testing.T) *DynamicSupervisor {
	t.Helper()
	d := NewDynamicSupervisor("jobs", MaxChildren(100_000), WithLogger(quiet))
	if err := d.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestChildrenThatComeFastKnowTheirStartToATick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := startClocked(t)
		defer d.Stop(context.Background())
		startFast(t, d, benchIdle)
		exact := 0
		for range 1000 {
			time.Sleep(tickEvery / 5)
			c, err := d.Go(t.Context(), benchIdle)
			if err != nil {
				t.Fatal(err)
			}
			age := c.Info().Age
			if age < 0 || age > tickEvery {
				t.Fatalf("a child that has just begun is %v old", age)
			}
			if age == 0 {
				exact++
			}
		}
		if _, ticking := d.clock.roughly(); !ticking || exact > 500 {
			t.Errorf("ticking %v, %d of 1000 starts are exact: the clock was read for each", ticking, exact)
		}
	})
}

func TestTicksEndWhenChildrenComeSlowly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := startClocked(t)
		defer d.Stop(context.Background())
		startFast(t, d, benchIdle)
		time.Sleep(10 * tickEvery)
		if at, ticking := d.clock.roughly(); ticking {
			t.Fatalf("nothing was started for ten ticks, and the last was at %v", at)
		}
		for range 3 * len(d.registry.shards) * blockSize {
			time.Sleep(7*tickEvery + 1)
			c, err := d.Go(t.Context(), benchIdle)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Info().Age; got != 0 {
				t.Fatalf("a child that has just begun is %v old", got)
			}
		}
		startFast(t, d, benchIdle) // and they can come back
	})
}

func TestLifetimesOfChildrenThatComeFastAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := startClocked(t)
		defer d.Stop(context.Background())
		long := 0
		startFast(t, d, func(context.Context) error { time.Sleep(3 * time.Millisecond); return nil })
		for i := range 1000 {
			life := 3 * time.Millisecond
			if i%10 == 0 {
				life = time.Hour
				long++
			}
			if _, err := d.Go(t.Context(), func(context.Context) error { time.Sleep(life); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		c := d.Counts()
		if left := c.Exits.Total() - c.Lifetimes.Count; left >= uint64(sampleEvery*len(d.registry.shards)) {
			t.Errorf("%d of %d lifetimes are missing", left, c.Exits.Total())
		}
		short, hours := uint64(0), uint64(0)
		for i, n := range c.Lifetimes.Counts[:histogramBounds] {
			switch bound := c.Lifetimes.Bounds[i]; {
			case bound >= time.Hour && bound < 3*time.Hour:
				hours += n
			case bound > time.Millisecond && bound < 10*time.Millisecond:
				short += n
			}
		}
		// Those whose lifetime was measured stand for the short ones that went before, so a long one may stand for some.
		if hours < uint64(long) || hours > uint64(long+sampleEvery*len(d.registry.shards)+long*sampleEvery) || short < c.Exits.Total()*3/4 {
			t.Errorf("%d of %d children lived an hour, and %d of %d were short", hours, long, short, c.Exits.Total())
		}
	})
}

func TestWithoutHistogramsNoLifetimeIsKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewDynamicSupervisor("jobs", MaxChildren(100_000), WithLogger(quiet), WithoutHistograms())
		if err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer d.Stop(context.Background())
		startFast(t, d, func(context.Context) error { time.Sleep(time.Millisecond); return nil })
		c, err := d.Go(t.Context(), benchIdle)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := c.Info().Age; got < time.Hour || got > time.Hour+tickEvery {
			t.Errorf("the child of an hour is %v old", got)
		}
		if c := d.Counts(); c.Lifetimes.Count != 0 || c.Exits.Total() == 0 {
			t.Errorf("%d lifetimes of %d exits", c.Lifetimes.Count, c.Exits.Total())
		}
	})
}
