// Package report turns what a demo run has seen into a verdict, a table for people and JSON for machines.
package report

import (
	"encoding/json"
	"io"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/attack"
)

// Report is a whole run.
type Report struct {
	OK     bool    `json:"ok"`
	Checks []Check `json:"checks"`

	Quick       bool    `json:"quick"`
	Seconds     float64 `json:"seconds"`
	CPUs        int     `json:"cpus"`
	System      string  `json:"system"`
	Descriptors int     `json:"file_descriptors,omitempty"`
	CeilingMiB  int     `json:"memory_ceiling_mib"`
	Limits      Limits  `json:"limits"`

	// Attacks begins with the calm before the first attack.
	Attacks []Pair `json:"attacks"`
	Stop    *Stop  `json:"stop,omitempty"`
	Left    *Left  `json:"left_running,omitempty"`
	// Notes are what a reader must know to read the numbers: attacks made smaller, counts that could not be had.
	Notes []string `json:"notes,omitempty"`
}

// Limits are the limits that the demo gave the protected application.
type Limits struct {
	Users    int `json:"users"`     // children of all users together
	NewUsers int `json:"new_users"` // of these, what users who are not proven may fill
	PerUser  int `json:"per_user"`
	Jobs     int `json:"jobs"`
	NewJobs  int `json:"new_jobs"` // of these, what users who are not proven may fill
	JobQueue int `json:"job_queue"`
	Requests int `json:"requests"`
	Conns    int `json:"conns"`

	ConnsPerClient  int `json:"conns_per_client"`
	ConnsPerPrefix  int `json:"conns_per_prefix"`
	RequestsPerUser int `json:"requests_per_user"`
}

// Pair is one attack on the two applications. A side is nil if it was not attacked.
type Pair struct {
	Name        string `json:"name"`
	About       string `json:"about,omitempty"`
	Protected   *Side  `json:"protected"`
	Unprotected *Side  `json:"unprotected"`
}

// Side is what one attack did to one application.
type Side struct {
	// PeakChildren and PeakGoroutines are the highest values seen by asking the application several times a second.
	PeakChildren   int `json:"peak_children"`
	PeakGoroutines int `json:"peak_goroutines"`
	// PeakMemory and PeakThreads are those of the operating system.
	PeakMemory  int64 `json:"peak_memory_bytes"`
	PeakThreads int   `json:"peak_threads,omitempty"`
	// Restarts is how many children the application says it has restarted.
	Restarts int `json:"restarts"`
	// Unanswered is how often the application did not say what it counts inside, when asked.
	Unanswered int `json:"inside_unanswered,omitempty"`

	Honest Honest        `json:"honest"`
	Attack attack.Counts `json:"attack"`
	// Refused is what the application says it refused, to anyone, by place and reason.
	Refused map[string]int `json:"refused_inside"`
	// HeldLimit is the most that the attacker may hold at once, connections or jobs without an end; 0 for attacks
	// of which nothing stays.
	HeldLimit int `json:"held_limit,omitempty"`

	// Ended says how the application ended under the attack, "" if it did not.
	Ended string `json:"ended,omitempty"`
	// LastWords is what its runtime said about an end that was its own.
	LastWords string `json:"last_words,omitempty"`
	// EndedByCeiling says that it was ended by the demo, for its memory.
	EndedByCeiling bool    `json:"ended_by_ceiling,omitempty"`
	Seconds        float64 `json:"seconds"`
}

// Stop is how the protected application stopped, with children in it that refuse to.
type Stop struct {
	Within   time.Duration `json:"within_ns"`
	Took     time.Duration `json:"took_ns"`
	ExitCode int           `json:"exit_code"`
	// Killed says that it had to be killed.
	Killed bool `json:"killed,omitempty"`
	// Refusing is the number of jobs in it that refuse to stop, as the attacker counts them, Named are the paths of those
	// that its output named on the way out.
	Refusing int      `json:"refusing"`
	Named    []string `json:"named"`
}

// Left is the application that was left running.
type Left struct {
	URL   string `json:"url"`
	Page  string `json:"page,omitempty"`
	PID   int    `json:"pid"`
	Log   string `json:"log"`
	Data  string `json:"data"`
	Token string `json:"token"`
}

// JSON writes the report for machines.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
