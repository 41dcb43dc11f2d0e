package trial

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks counts processor time as /proc does, in hundredths of a second.
type ticks int64

const ticksPerSecond = 100

// usage is the processor time used on this machine and by the processes of a trial, up to a moment.
type usage struct {
	total, busy ticks // of all processors together
	ours        ticks // of this process and the target
}

// readUsage reads /proc.
func readUsage(pid int) (usage, error) {
	var u usage
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return u, err
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	fields := strings.Fields(line) // cpu user nice system idle iowait irq softirq steal ...
	if len(fields) < 9 || fields[0] != "cpu" {
		return u, fmt.Errorf("/proc/stat begins with %q", line)
	}
	for i, f := range fields[1:9] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return u, fmt.Errorf("read /proc/stat: %w", err)
		}
		u.total += ticks(n)
		if i != 3 && i != 4 {
			u.busy += ticks(n)
		}
	}
	for _, id := range []string{"self", strconv.Itoa(pid)} {
		n, err := processTicks(id)
		if err != nil {
			return u, err
		}
		u.ours += n
	}
	return u, nil
}

func processTicks(id string) (ticks, error) {
	raw, err := os.ReadFile("/proc/" + id + "/stat")
	if err != nil {
		return 0, err
	}
	// The second field is a name in parentheses, which may hold anything.
	_, rest, _ := strings.Cut(string(raw), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%s/stat is %q", id, raw)
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return ticks(user + system), err
}

// othersShare is the part of the machine that was used by others between two moments. attackers is what the attacker
// used, which has ended by then and is not in either.
func othersShare(from, to usage, attackers time.Duration) float64 {
	total := to.total - from.total
	if total <= 0 {
		return 0
	}
	ours := to.ours - from.ours + ticks(attackers.Seconds()*ticksPerSecond)
	return max(0, float64(to.busy-from.busy-ours)/float64(total))
}
