package wire

import "slices"

// A Status says in a word how a supervisor is; the worst that is true of it.
type Status string

const (
	StatusStuck      Status = "stuck"       // children have outlived their allowance
	StatusDown       Status = "down"        // it does not run
	StatusRefusing   Status = "refusing"    // starts were refused in the last minute
	StatusAbove      Status = "above limit" // the limit was lowered below what runs
	StatusFull       Status = "full"
	StatusRestarting Status = "restarting" // children fail and are run again
	StatusNear       Status = "near limit" // four fifths or more
	StatusUnlimited  Status = "unlimited"
	StatusOK         Status = "ok"
)

// statuses are all of them, those that need the least looking at first.
var statuses = []struct {
	status Status
	shape  string
}{
	{StatusOK, "●"}, {StatusUnlimited, "∞"}, {StatusNear, "◐"}, {StatusRestarting, "↻"}, {StatusFull, "◆"}, {StatusAbove, "▲"}, {StatusRefusing, "▲"},
	{StatusDown, "■"}, {StatusStuck, "✕"},
}

// Statuses are all that there are, the best first.
func Statuses() []Status {
	all := make([]Status, 0, len(statuses))
	for _, s := range statuses {
		all = append(all, s.status)
	}
	return all
}

// Rank is how much the status needs looking at; 0 is not at all, or a status that is not known.
func (s Status) Rank() int { return max(0, slices.Index(Statuses(), s)) }

// Problem reports whether somebody should look: starts are refused, children are stuck, it does not run, or it is above
// its limit.
func (s Status) Problem() bool { return s.Rank() >= StatusAbove.Rank() }

// Shape is what stands beside the word, for those who do not see its colour.
func (s Status) Shape() string { return statuses[s.Rank()].shape }

// Class is the status as a word in a style sheet: bad, warn or good.
func (s Status) Class() string {
	switch {
	case s.Problem():
		return "bad"
	case s.Rank() > 0:
		return "warn"
	}
	return "good"
}
