package procwatch

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStatusGivesMemoryAndThreads(t *testing.T) {
	got, err := parseStatus(strings.NewReader("Name:\tmyapp\nVmPeak:\t  999 kB\nVmRSS:\t  2048 kB\nThreads:\t17\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := (Sample{RSS: 2 << 20, Threads: 17}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestStatusOfAnEndedProcessIsAnError(t *testing.T) {
	if s, err := parseStatus(strings.NewReader("Name:\tmyapp\nState:\tZ (zombie)\nThreads:\t1\n")); err == nil {
		t.Errorf("got %+v, want an error: no memory is not zero memory", s)
	}
}

func TestStatusRejectsWhatItDoesNotKnow(t *testing.T) {
	for _, text := range []string{"VmRSS:\t12 MB\n", "VmRSS:\n", "VmRSS:\tmany kB\n", "VmRSS:\t1 kB\nThreads:\tfew\n"} {
		if s, err := parseStatus(strings.NewReader(text)); err == nil {
			t.Errorf("%q gave %+v, want an error", text, s)
		}
	}
}

func TestReadSeesThisProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no /proc")
	}
	s, err := Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if s.RSS < 1<<20 || s.Threads < 1 {
		t.Errorf("this process has %+v, want at least a mebibyte and a thread", s)
	}
}

func TestWatcherEndsTheProcessOnceAboveTheCeiling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rss, ended := int64(0), 0
		w := New(Config{
			Read:    func() (Sample, error) { rss += 10; return Sample{RSS: rss, Threads: 3}, nil },
			Ceiling: 100,
			End:     func() { ended++ },
		})
		w.Run(t.Context())
		if ended != 1 || !w.Ended() {
			t.Errorf("End was called %d times, Ended() = %v, want once and true", ended, w.Ended())
		}
		if got := w.Peak(); got.RSS != 110 || got.Threads != 3 {
			t.Errorf("peak = %+v, want the first sample above 100", got)
		}
	})
}

func TestWatcherLeavesAProcessAtTheCeilingAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(Config{
			Read:    func() (Sample, error) { return Sample{RSS: 100}, nil },
			Ceiling: 100,
			End:     func() { t.Error("ended at the ceiling, not above it") },
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		w.Run(ctx)
	})
}

func TestBeginForgetsOldPeaksButNotThePresent(t *testing.T) {
	w := New(Config{Ceiling: 1000})
	w.note(Sample{RSS: 500})
	w.note(Sample{RSS: 200})
	w.Begin()
	if got := w.Peak().RSS; got != 200 {
		t.Errorf("peak after Begin = %d, want the last sample, 200", got)
	}
}

func TestUnreadableProcessIsNoSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := New(Config{Read: func() (Sample, error) { return Sample{}, os.ErrNotExist }, Ceiling: 1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		w.Run(ctx)
		if w.Samples() != 0 {
			t.Errorf("%d samples of a process that cannot be read", w.Samples())
		}
	})
}
