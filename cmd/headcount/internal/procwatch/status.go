package procwatch

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// Sample is what the operating system says about a process.
type Sample struct {
	RSS     int64 // resident memory in bytes
	Threads int   // threads of the operating system, 0 where unknown
}

// ErrUnsupported is returned by Read where the operating system keeps no /proc.
var ErrUnsupported = errors.New("no /proc on this system")

// Read reads /proc/PID/status.
func Read(pid int) (Sample, error) {
	if runtime.GOOS != "linux" {
		return Sample{}, ErrUnsupported
	}
	f, err := os.Open(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return Sample{}, err
	}
	defer f.Close()
	return parseStatus(f)
}

// parseStatus finds VmRSS and Threads. A process that has ended and was not yet waited for has no VmRSS line; that is
// an error here, because a memory of zero would be read as good news.
func parseStatus(r io.Reader) (Sample, error) {
	var s Sample
	found := false
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		name, value, ok := strings.Cut(lines.Text(), ":")
		if !ok {
			continue
		}
		fields := strings.Fields(value)
		switch name {
		case "VmRSS":
			if len(fields) != 2 || fields[1] != "kB" {
				return Sample{}, fmt.Errorf("line VmRSS is %q, want a number of kB", value)
			}
			kib, err := strconv.ParseInt(fields[0], 10, 64)
			if err != nil {
				return Sample{}, fmt.Errorf("read VmRSS: %w", err)
			}
			s.RSS, found = kib<<10, true
		case "Threads":
			if len(fields) != 1 {
				return Sample{}, fmt.Errorf("line Threads is %q, want a number", value)
			}
			n, err := strconv.Atoi(fields[0])
			if err != nil {
				return Sample{}, fmt.Errorf("read Threads: %w", err)
			}
			s.Threads = n
		}
	}
	if err := lines.Err(); err != nil {
		return Sample{}, err
	}
	if !found {
		return Sample{}, errors.New("no VmRSS: the process has ended")
	}
	return s, nil
}
