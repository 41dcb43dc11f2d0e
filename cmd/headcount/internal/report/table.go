package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	labelWidth = 34
	cellWidth  = 22
)

// Table writes the report for people: one table with both applications beside each other, then the verdict.
func (r *Report) Table(w io.Writer) error {
	out := bufio.NewWriter(w)
	row(out, "", "protected", "unprotected")
	rule(out)
	for _, a := range r.Attacks {
		fmt.Fprintln(out, a.Name)
		pair(out, "peak children", a, func(s *Side) string { return thousands(s.PeakChildren) })
		pair(out, "peak goroutines", a, func(s *Side) string { return thousands(s.PeakGoroutines) })
		pair(out, "peak memory", a, func(s *Side) string { return mebibytes(s.PeakMemory) })
		pair(out, "honest success", a, func(s *Side) string {
			return fmt.Sprintf("%s of %s", percent(s.Honest.Success()), thousands(s.Honest.Planned))
		})
		pair(out, "honest p99", a, func(s *Side) string { return latency(s.Honest.P99) })
		pair(out, "honest websockets dropped", a, func(s *Side) string { return thousands(s.Honest.Dropped) })
		if abandoned(a.Protected)+abandoned(a.Unprotected) > 0 {
			pair(out, "honest still waiting at the end", a, func(s *Side) string { return thousands(s.Honest.Abandoned) })
		}
		if a.About != "" {
			attackRows(out, a)
		}
		for _, reason := range reasons(a, func(s *Side) map[string]int { return s.Honest.Failures }) {
			pair(out, "honest failed: "+reason, a, func(s *Side) string { return thousands(s.Honest.Failures[reason]) })
		}
		rule(out)
	}
	for _, a := range r.Attacks {
		ended(out, a.Name, "protected", a.Protected)
		ended(out, a.Name, "unprotected", a.Unprotected)
	}
	for _, note := range r.Notes {
		fmt.Fprintln(out, note)
	}
	fmt.Fprintln(out, "Latency counts from the time an operation was meant to begin; one that failed never ends.")
	fmt.Fprintln(out, "Peaks of children and goroutines are of ten samples a second. The checks below use exact counts:")
	r.verdict(out)
	return out.Flush()
}

func abandoned(s *Side) int {
	if s == nil {
		return 0
	}
	return s.Honest.Abandoned
}

// ended tells what does not fit into a cell.
func ended(out *bufio.Writer, attack, app string, s *Side) {
	if s == nil || s.Ended == "" {
		return
	}
	text := fmt.Sprintf("%s, %s: %s after %.1f s", attack, app, s.Ended, s.Seconds)
	if s.LastWords != "" {
		text += ": " + s.LastWords
	}
	fmt.Fprintln(out, text)
}

// attackRows are the attacker's own counts.
func attackRows(out *bufio.Writer, a Pair) {
	pair(out, "attempts", a, func(s *Side) string {
		if s.Attack.Sent < s.Attack.Planned {
			return thousands(s.Attack.Sent) + " of " + thousands(s.Attack.Planned)
		}
		return thousands(s.Attack.Sent)
	})
	if a.Protected != nil && a.Protected.HeldLimit > 0 {
		pair(out, "held by the attacker", a, func(s *Side) string { return thousands(s.Attack.HeldPeak) })
	} else if held(a.Protected)+held(a.Unprotected) > 0 {
		pair(out, "still held at its end", a, func(s *Side) string { return thousands(s.Attack.HeldAtEnd) })
	}
	for _, reason := range reasons(a, func(s *Side) map[string]int { return s.Attack.Refused }) {
		pair(out, "refused: "+reason, a, func(s *Side) string { return thousands(s.Attack.Refused[reason]) })
	}
	for _, reason := range reasons(a, func(s *Side) map[string]int { return s.Attack.Failed }) {
		pair(out, "attempts failed: "+reason, a, func(s *Side) string { return thousands(s.Attack.Failed[reason]) })
	}
	if restarts(a.Protected)+restarts(a.Unprotected) > 0 {
		pair(out, "restarts", a, func(s *Side) string { return thousands(s.Restarts) })
	}
	pair(out, "outcome", a, func(s *Side) string {
		if s.Ended == "" {
			return "went on"
		}
		// The whole sentence stands below the table.
		return cut(s.Ended)
	})
}

func held(s *Side) int {
	if s == nil {
		return 0
	}
	return s.Attack.HeldPeak
}

func restarts(s *Side) int {
	if s == nil {
		return 0
	}
	return s.Restarts
}

func (r *Report) verdict(out *bufio.Writer) {
	fmt.Fprintln(out)
	for _, c := range r.Checks {
		mark := "ok  "
		if !c.OK {
			mark = "FAIL"
		}
		fmt.Fprintf(out, "%s  %s: %s\n", mark, c.Name, c.Detail)
	}
	fmt.Fprintln(out)
	if r.OK {
		fmt.Fprintf(out, "HELD: every limit held and the honest users were served (%.0f s).\n", r.Seconds)
	} else {
		fmt.Fprintf(out, "FAILED: see the checks above (%.0f s).\n", r.Seconds)
	}
}

func row(out *bufio.Writer, label, protected, unprotected string) {
	line := fmt.Sprintf("%-*s%*s%*s", labelWidth, label, cellWidth, protected, cellWidth, unprotected)
	fmt.Fprintln(out, strings.TrimRight(line, " "))
}

func rule(out *bufio.Writer) { fmt.Fprintln(out, strings.Repeat("-", labelWidth+2*cellWidth)) }

func pair(out *bufio.Writer, label string, a Pair, cell func(*Side) string) {
	text := func(s *Side) string {
		if s == nil {
			return "-"
		}
		return cell(s)
	}
	row(out, "  "+label, text(a.Protected), text(a.Unprotected))
}

// reasons returns the reasons of both sides, the most frequent first.
func reasons(a Pair, of func(*Side) map[string]int) []string {
	sum := make(map[string]int)
	for _, s := range []*Side{a.Protected, a.Unprotected} {
		if s == nil {
			continue
		}
		for reason, n := range of(s) {
			sum[reason] += n
		}
	}
	return slices.SortedFunc(maps.Keys(sum), func(x, y string) int {
		return cmp.Or(cmp.Compare(sum[y], sum[x]), cmp.Compare(x, y))
	})
}

func cut(s string) string {
	const room = cellWidth - 1
	if len(s) <= room {
		return s
	}
	return s[:room-3] + "..."
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func mebibytes(b int64) string { return thousands(int(b>>20)) + " MiB" }

// percent rounds down to a tenth, so that 100.0 % means all.
func percent(share float64) string {
	// The small addition mends shares such as 0.29, which in binary are a hair below what they say.
	return fmt.Sprintf("%.1f %%", math.Floor(share*1000+1e-6)/10)
}

func latency(m Millis) string {
	d := time.Duration(m)
	switch {
	case m < 0:
		return "never"
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	default:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
}
