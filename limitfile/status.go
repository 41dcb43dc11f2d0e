package limitfile

import (
	"cmp"
	"slices"
	"time"
)

// A Status tells how a file stands.
type Status struct {
	File     string
	Loaded   time.Time // when it was last loaded; zero: never
	Loads    uint64
	LastTry  time.Time // when it was last tried
	Failures uint64
	// Err is what was wrong at the last try, nil if nothing was. It is an [*Error].
	Err error

	Limits          int      // given by the file
	Expired         int      // entries' limits that have the value of the code again
	ReviewsDue      []Review // of entries whose review date has passed: the first hundred
	ReviewsDueTotal int
}

// Tried reports whether the file has been read, or not been found, yet.
func (s Status) Tried() bool { return !s.LastTry.IsZero() }

// A Review is due: somebody wanted this limit to be looked at again.
type Review struct {
	Path, Limit, Owner string
	Review             time.Time
	Line               int // in the file
}

func (r Review) compare(o Review) int {
	return cmp.Or(r.Review.Compare(o.Review), cmp.Compare(r.Path, o.Path), cmp.Compare(r.Limit, o.Limit))
}

// Status tells how the file stands.
func (f *File) Status() Status {
	s := f.status()
	s.ReviewsDue = slices.Clone(s.ReviewsDue)
	return s
}

func (f *File) status() Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.mu.status
}
