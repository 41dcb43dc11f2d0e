package wire

import (
	"time"
)

// Goroutines tells whose the goroutines of the process are.
type Goroutines struct {
	Time       time.Time        `json:"time" doc:"of the profile; an answer may be from an earlier request"`
	Total      int              `json:"total" doc:"of the process"`
	Supervised int              `json:"supervised" doc:"of the children below the path"`
	Strays     int              `json:"strays" doc:"nobody's children, wherever in the process"`
	Inherited  int              `json:"inherited" doc:"of these, those that children below the path have started by a bare go statement"`
	Elsewhere  int              `json:"elsewhere" doc:"of other supervisors, and headcount's own"`
	Paths      []PathGoroutines `json:"paths" doc:"the hundred with most, the first with most"`
	PathsTotal int              `json:"paths_total"`
}

// PathGoroutines are those at one path.
type PathGoroutines struct {
	Path       string `json:"path"`
	Goroutines int    `json:"goroutines"`
	Strays     int    `json:"strays"`
}

// CPUTimes is whose the CPU time of the process was while a profile was made.
type CPUTimes struct {
	Time       time.Time `json:"time" doc:"when the profile was begun; an answer may be from an earlier request"`
	For        float64   `json:"for_seconds" doc:"how long it was made"`
	Total      float64   `json:"total_seconds" doc:"CPU time of the process"`
	Supervised float64   `json:"supervised_seconds" doc:"of the children below the path, and of what they have started"`
	Elsewhere  float64   `json:"elsewhere_seconds" doc:"of other supervisors"`
	Outside    float64   `json:"outside_seconds" doc:"nobody's: goroutines that are no children, and the runtime"`
	Paths      []PathCPU `json:"paths" doc:"the hundred with most, the first with most"`
	PathsTotal int       `json:"paths_total"`
}

// PathCPU is the time at one path.
type PathCPU struct {
	Path string  `json:"path"`
	CPU  float64 `json:"cpu_seconds"`
}

// A Stack is where a child is.
type Stack struct {
	Time     time.Time    `json:"time" doc:"of the profile; an answer may be from an earlier request"`
	Path     string       `json:"path"`
	ID       uint64       `json:"id,string"`
	Exact    bool         `json:"exact" doc:"the goroutines are the child's own; otherwise they are those of its supervisor's children, its own among them"`
	Total    int          `json:"total"`
	Stacks   []StackCount `json:"stacks" doc:"the hundred most frequent ones"`
	Distinct int          `json:"distinct"`
}

// A StackCount is a stack that some goroutines have.
type StackCount struct {
	Count int    `json:"count"`
	Stray bool   `json:"stray" doc:"started by a bare go statement"`
	Text  string `json:"text"`
}
