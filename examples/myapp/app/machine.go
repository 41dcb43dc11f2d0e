package app

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// machine is what the defaults of the limits are derived from.
type machine struct {
	cores  int
	memory int64 // bytes that this process may use
	files  int   // descriptors that it may open
}

// unknownMemory is assumed where nothing tells.
const unknownMemory = 1 << 30

func thisMachine() machine {
	return machine{cores: runtime.GOMAXPROCS(0), memory: memory(), files: maxFiles()}
}

// memory is the smallest of what the runtime, the container and the machine set.
func memory() int64 {
	limit := debug.SetMemoryLimit(-1) // a negative value only asks; GOMEMLIMIT may have set it
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		// Without a limit the first says "max", the second a number near the largest.
		if n, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64); err == nil && n > 0 {
			limit = min(limit, n)
		}
	}
	if raw, err := os.ReadFile("/proc/meminfo"); err == nil {
		limit = min(limit, totalMemory(string(raw)))
	}
	if limit > 1<<50 {
		return unknownMemory
	}
	return limit
}

// totalMemory reads the line "MemTotal: 16311896 kB".
func totalMemory(meminfo string) int64 {
	for line := range strings.Lines(meminfo) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "MemTotal:" {
			continue
		}
		if kb, err := strconv.ParseInt(fields[1], 10, 64); err == nil && kb < math.MaxInt64>>10 {
			return kb << 10
		}
	}
	return math.MaxInt64
}
