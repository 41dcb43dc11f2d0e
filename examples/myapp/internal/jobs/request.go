package jobs

import (
	"bytes"
	"fmt"
	"io"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/strict"
)

// The kinds of jobs.
const (
	Resize = "resize" // Data is a PNG, Width what it is scaled to
	Hash   = "hash"   // of Data
	Sleep  = "sleep"  // for Millis
	Crash  = "crash"  // panics; with chaos only
	Hang   = "hang"   // does not stop when told to, for Millis or for ever; with chaos only
)

// Request is what a user asks for. Fields that the kind has no use for must be left out.
type Request struct {
	Kind    string `json:"kind"`
	Data    []byte `json:"data,omitempty"` // base64 on the wire
	Width   int    `json:"width,omitempty"`
	Millis  int    `json:"millis,omitempty"`
	Restart string `json:"restart,omitempty"` // of a crash: permanent, transient (the default) or temporary
	Fails   int    `json:"fails,omitempty"`   // so many tries fail before one works
}

// Limits bounds what one job may cost.
type Limits struct {
	Pixels int  // of a picture, decoded
	Width  int  // of a resized picture
	Result int  // bytes of a result
	Chaos  bool // jobs that crash and hang are taken
}

const (
	maxMillis = 10_000
	maxFails  = 100
)

// A Problem says why a request is not taken. Reason is a word for programs.
type Problem struct {
	Reason string
	Text   string
}

func (p *Problem) Error() string { return p.Text }

// NotAllowed is the reason of a request that is well-formed but not for this service.
const NotAllowed = "not_allowed"

func bad(format string, args ...any) error { return &Problem{"bad_job", fmt.Sprintf(format, args...)} }

// Parse reads a request in JSON and checks it. The reader must be bounded; its errors are returned wrapped.
func Parse(r io.Reader, limits Limits) (Request, error) {
	var req Request
	if err := strict.Decode(r, &req); err != nil {
		return Request{}, err
	}
	return req, req.check(limits)
}

// check finds what would make the job fail in any case, before it has cost anything.
func (r Request) check(limits Limits) error {
	switch r.Kind {
	case Resize:
		if _, err := planResize(bytes.NewReader(r.Data), r.Width, limits); err != nil {
			return err
		}
	case Hash:
		if len(r.Data) == 0 {
			return bad("data is missing")
		}
	case Sleep:
		if r.Millis <= 0 {
			return bad("millis must be 1 to %d", maxMillis)
		}
	case Crash, Hang:
		if !limits.Chaos {
			return &Problem{NotAllowed, fmt.Sprintf("jobs that %s are not taken here", r.Kind)}
		}
	case "":
		return bad("kind is missing")
	default:
		return bad("kind %.20q is none of resize, hash, sleep, crash, hang", r.Kind)
	}
	if r.Millis < 0 || r.Millis > maxMillis {
		return bad("millis must be 1 to %d", maxMillis)
	}
	if r.Fails < 0 || r.Fails > maxFails {
		return bad("fails must be 0 to %d", maxFails)
	}
	if _, err := r.restart(); err != nil {
		return err
	}
	return r.checkUnused()
}

// checkUnused refuses what would be ignored: who sent it expects something to come of it.
func (r Request) checkUnused() error {
	takesData := r.Kind == Resize || r.Kind == Hash
	takesMillis := r.Kind == Sleep || r.Kind == Hang
	switch {
	case len(r.Data) > 0 && !takesData:
		return bad("data is of no use to %s", r.Kind)
	case r.Width != 0 && r.Kind != Resize:
		return bad("width is of no use to %s", r.Kind)
	case r.Millis != 0 && !takesMillis:
		return bad("millis is of no use to %s", r.Kind)
	case r.Restart != "" && r.Kind != Crash:
		return bad("restart is of no use to %s", r.Kind)
	}
	return nil
}

// restart tells when the job is tried again. Only crashes choose; the others are tried again after a failure.
func (r Request) restart() (headcount.Restart, error) {
	switch r.Restart {
	case "", "transient":
		return headcount.Transient, nil
	case "permanent":
		return headcount.Permanent, nil
	case "temporary":
		return headcount.Temporary, nil
	}
	return 0, bad("restart %.20q is none of permanent, transient, temporary", r.Restart)
}
