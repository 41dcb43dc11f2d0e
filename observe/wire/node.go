package wire

import (
	"time"
)

// A Detail is a supervisor with all there is to know of it.
type Detail struct {
	Row      Row       `json:"row"`
	Since    time.Time `json:"since,omitzero" doc:"when its present life began"`
	Queue    int       `json:"queue" doc:"how many starts may wait"`
	Reserve  int       `json:"reserve" doc:"slots of the limits above that are its own"`
	Bytes    int64     `json:"bytes" doc:"charged by children"`
	MaxBytes int64     `json:"max_bytes" doc:"their budget; 0 is none"`
	Started  uint64    `json:"started"`
	Restarts uint64    `json:"restarts"`
	Refused  uint64    `json:"refused"`
	Exits    Exits     `json:"exits"`
	Keyed    bool      `json:"keyed" doc:"whether it has top keys"`
	Limits   []Limit   `json:"limits"`
	Sources  []Source  `json:"sources" doc:"files and the like that limits of the tree come from"`
}

// A Source is where limits come from, many at once.
type Source struct {
	Name    string `json:"name"`
	Set     uint64 `json:"set" doc:"times that its limits were set"`
	Refused uint64 `json:"refused" doc:"times that they were refused"`
	Error   string `json:"error,omitempty" doc:"what is wrong with it: the limits from before stay"`
}

// Exits are the ends of runs, by how they ended.
type Exits struct {
	Normal  uint64 `json:"normal"`
	Stopped uint64 `json:"stopped"`
	Error   uint64 `json:"error"`
	Panic   uint64 `json:"panic"`
	Goexit  uint64 `json:"goexit"`
}

// A Child is a child.
type Child struct {
	ID         uint64    `json:"id,string"`
	Name       string    `json:"name"`
	Key        string    `json:"key,omitempty" doc:"as it is shown"`
	Path       string    `json:"path"`
	Kind       string    `json:"kind"`
	State      string    `json:"state"`
	Restart    string    `json:"restart" doc:"permanent, transient or temporary"`
	Started    time.Time `json:"started"`
	Restarts   int       `json:"restarts"`
	Goroutines int       `json:"goroutines"`
	Bytes      int64     `json:"bytes"`
	LastError  string    `json:"last_error,omitempty"`
	StuckFor   float64   `json:"stuck_seconds,omitempty"`
}

// A ChildPage is a page of the children of a supervisor.
type ChildPage struct {
	Path     string  `json:"path"`
	Children []Child `json:"children" doc:"in the order of their start"`
	Next     uint64  `json:"next,string" doc:"go on after this id; 0 when there are no more. With a filter a page may be short though there are more"`
}

// TopKeys are the keys of a keyed supervisor that hold most.
type TopKeys struct {
	Path string     `json:"path"`
	Keys []KeyCount `json:"keys" doc:"the one that holds most first"`
}

// A KeyCount is how many children a key holds.
type KeyCount struct {
	Key   string `json:"key" doc:"as it is shown"`
	Count int    `json:"count"`
}

// A PastHour is the last hour of a supervisor.
type PastHour struct {
	Path   string  `json:"path"`
	Step   int     `json:"step_seconds"`
	Kept   bool    `json:"kept" doc:"false where there are more supervisors than a history is kept of"`
	Points []Point `json:"points" doc:"the oldest first"`
}

// A Point is a supervisor in ten seconds of the past.
type Point struct {
	Time     time.Time `json:"time"`
	Children int       `json:"children" doc:"at its end"`
	Peak     int       `json:"peak" doc:"the most in it"`
	Limit    Value     `json:"limit" doc:"at its end"`
	Refused  uint64    `json:"refused" doc:"starts refused in it"`
}
