package target

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Sample is what the operating system says about a process.
type Sample struct {
	RSS         int64 // bytes
	Descriptors int
}

// A process above one of these is ended: it would take the machine with it.
const (
	MemoryCeiling     = 1536 << 20
	DescriptorCeiling = 4000
)

// sampleEvery is the time between two looks at a process.
const sampleEvery = 10 * time.Millisecond

// ReadSample reads /proc/PID.
func ReadSample(pid int) (Sample, error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return Sample{}, err
	}
	_, rest, found := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(rest)
	if !found || len(fields) < 2 || fields[1] != "kB" {
		// A process that has ended and was not waited for; a memory of zero would be read as good news.
		return Sample{}, fmt.Errorf("process %d has no memory", pid)
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		return Sample{}, fmt.Errorf("read VmRSS: %w", err)
	}
	n, err := countDescriptors(filepath.Join(dir, "fd"))
	return Sample{RSS: kib << 10, Descriptors: n}, err
}

func countDescriptors(dir string) (int, error) {
	// Since Linux 6.2 the size of the directory is the number of its entries.
	if fi, err := os.Stat(dir); err == nil && fi.Size() > 0 {
		return int(fi.Size()), nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return 0, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	return len(names), err
}

// watch keeps the peaks of a process and ends it above a ceiling.
type watch struct {
	p *Process

	mu     sync.Mutex
	peak   Sample // guarded by mu, as are the others
	last   Sample
	fallen string
}

func (w *watch) init(p *Process) { w.p = p }

func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for {
		if s, err := ReadSample(w.p.Pid()); err == nil && w.note(s) {
			w.p.kill()
			return
		}
		select {
		case <-tick.C:
		case <-w.p.exited:
			return
		case <-ctx.Done():
			return
		}
	}
}

// note takes a sample in and reports whether the process has to be ended.
func (w *watch) note(s Sample) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = s
	w.peak.RSS = max(w.peak.RSS, s.RSS)
	w.peak.Descriptors = max(w.peak.Descriptors, s.Descriptors)
	switch {
	case s.RSS > MemoryCeiling:
		w.fallen = fmt.Sprintf("took more than %d MiB", MemoryCeiling>>20)
	case s.Descriptors > DescriptorCeiling:
		w.fallen = fmt.Sprintf("took more than %d descriptors", DescriptorCeiling)
	}
	return w.fallen != ""
}

func (w *watch) why() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fallen
}

func (w *watch) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.peak = w.last
}

// Peak returns the highest values since Begin, sampled.
func (p *Process) Peak() Sample {
	p.watch.mu.Lock()
	defer p.watch.mu.Unlock()
	return p.watch.peak
}
