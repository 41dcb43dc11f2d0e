package golang

import (
	"context"
	"go/build"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"
)

// The standard library is the large module that is always at hand. A line is one of the files that are read, with comments.
func BenchmarkReviewStandardLibrary(b *testing.B) {
	dir := filepath.Join(build.Default.GOROOT, "src")
	if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
		b.Skip(err)
	}
	b.Setenv("GOWORK", "off")
	for b.Loop() {
		debug.FreeOSMemory()
		stop := peak()
		res, err := Review(context.Background(), dir, nil, Options{Offline: true})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(stop())/(1<<20), "MB-peak")
		b.ReportMetric(float64(len(res.Findings)), "findings")
	}
	lines := linesIn(b, dir)
	b.ReportMetric(float64(lines), "lines")
	b.ReportMetric(float64(lines)*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

// peak watches what the process holds of the operating system's memory until the function that it returns is called.
func peak() func() uint64 {
	done, result := make(chan struct{}), make(chan uint64)
	go func() {
		sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		most := uint64(0)
		for {
			metrics.Read(sample)
			most = max(most, sample[0].Value.Uint64()-sample[1].Value.Uint64())
			select {
			case <-done:
				result <- most
				return
			default:
				time.Sleep(10 * time.Millisecond)
			}
		}
	}()
	return func() uint64 {
		close(done)
		return <-result
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func linesIn(b *testing.B, dir string) (lines int) {
	b.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch name := d.Name(); {
		case d.IsDir() && (name == "testdata" || name == "vendor" || path != dir && exists(filepath.Join(path, "go.mod"))):
			return filepath.SkipDir
		case d.IsDir(), filepath.Ext(name) != ".go", strings.HasSuffix(name, "_test.go"):
			return nil
		}
		if ok, err := build.Default.MatchFile(filepath.Dir(path), d.Name()); err != nil || !ok {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		lines += strings.Count(string(src), "\n")
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return lines
}
