package report

import (
	"fmt"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/api"
)

// MinSuccess is the share of their operations that honest users must get done.
const MinSuccess = 0.95

// Check is one thing that had to hold.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Facts are what a verdict is made of.
type Facts struct {
	Limits Limits
	// Inside are the counts of the protected application's own handlers and jobs after all attacks, nil if they could
	// not be had.
	Inside *api.Inside
	// HonestUsers is their number: so many children at least must have been counted inside, or the counting is broken.
	HonestUsers int
	// Attacks are those on the protected application, without the calm.
	Attacks []Pair
	// Stop is nil when the application was left running.
	Stop *Stop
}

// Judge returns every check, passed or not, in the order of the issue: limits, attacks, honest users, stop.
//
// A count that is missing fails its check. A limit that nothing pressed against was not shown to hold, so an attack that
// was never refused fails too.
func Judge(f Facts) []Check {
	var c []Check
	c = append(c, limits(f)...)
	for _, a := range f.Attacks {
		c = append(c, attacked(a)...)
	}
	c = append(c, users(f.Attacks)...)
	if f.Stop != nil {
		c = append(c, stopped(*f.Stop))
	}
	return c
}

// Passed reports whether all checks hold. No checks are no proof.
func Passed(checks []Check) bool {
	for _, c := range checks {
		if !c.OK {
			return false
		}
	}
	return len(checks) > 0
}

func limits(f Facts) []Check {
	if f.Inside == nil {
		return []Check{{Name: "limits, counted inside", Detail: "the protected application did not answer after the attacks"}}
	}
	in := *f.Inside
	return []Check{
		limit("children of all users", in.UserChildrenPeak, f.Limits.Users, f.HonestUsers),
		limit("children of one user", in.PerUserPeak, f.Limits.PerUser, 1),
		limit("websockets", in.WSPeak, f.Limits.Users, f.HonestUsers),
		limit("running jobs", in.JobsPeak, f.Limits.Jobs, 1),
		limit("requests", in.RequestsPeak, f.Limits.Requests, 1),
	}
}

// limit checks a peak that was counted inside. One below atLeast was not counted at all.
func limit(what string, peak, limit, atLeast int) Check {
	return Check{
		Name:   what + ", counted inside",
		OK:     peak <= limit && peak >= atLeast,
		Detail: fmt.Sprintf("peak %d, limit %d", peak, limit),
	}
}

func attacked(a Pair) []Check {
	s := a.Protected
	if s == nil {
		return []Check{{Name: a.Name, Detail: "was not made on the protected application"}}
	}
	c := []Check{{Name: a.Name + ": survived", OK: s.Ended == "", Detail: "the application went on"}}
	if s.Ended != "" {
		c[0].Detail = s.Ended
	}
	if s.HeldLimit > 0 {
		c = append(c, Check{
			Name:   a.Name + ": held by the attacker",
			OK:     s.Attack.HeldPeak <= s.HeldLimit && s.Attack.HeldPeak > 0,
			Detail: fmt.Sprintf("peak %d, limit %d", s.Attack.HeldPeak, s.HeldLimit),
		})
	}
	return append(c, Check{
		Name:   a.Name + ": pressed against the limit",
		OK:     s.Attack.RefusedTotal() > 0,
		Detail: fmt.Sprintf("%d of %d attempts refused", s.Attack.RefusedTotal(), s.Attack.Sent),
	})
}

func users(attacks []Pair) []Check {
	var c []Check
	dropped := 0
	kinds := make(map[string]*Kind)
	var order []string
	for _, a := range attacks {
		if a.Protected == nil {
			continue
		}
		h := a.Protected.Honest
		dropped += h.Dropped
		c = append(c, success(a.Name+": honest users", h.Kind))
		for _, k := range h.Kinds {
			if kinds[k.Name] == nil {
				kinds[k.Name] = &Kind{}
				order = append(order, k.Name)
			}
			kinds[k.Name].Planned += k.Planned
			kinds[k.Name].Done += k.Done
		}
	}
	// Many easy echoes must not hide that nobody got a job done: each kind has to reach the line too, over all attacks.
	for _, name := range order {
		c = append(c, success("honest users, every "+name, *kinds[name]))
	}
	return append(c, Check{
		Name:   "honest websockets dropped",
		OK:     dropped == 0,
		Detail: fmt.Sprintf("%d", dropped),
	})
}

func success(name string, k Kind) Check {
	return Check{
		Name:   name,
		OK:     k.Planned > 0 && k.Success() >= MinSuccess,
		Detail: fmt.Sprintf("%s of %d done, at least %s wanted", percent(k.Success()), k.Planned, percent(MinSuccess)),
	}
}

func stopped(s Stop) Check {
	c := Check{Name: "stopped in time, naming what refuses to"}
	switch {
	case s.Killed:
		c.Detail = fmt.Sprintf("still there %s after it was told to stop within %s", round(s.Took), round(s.Within))
	case len(s.Named) < s.Refusing || s.Refusing == 0:
		c.Detail = fmt.Sprintf("exit status %d after %s, %d of %d named", s.ExitCode, round(s.Took), len(s.Named), s.Refusing)
	case s.ExitCode == 0:
		c.Detail = "exit status 0, as if everything had stopped"
	default:
		c.OK = true
		c.Detail = fmt.Sprintf("exit status %d after %s, %d of %d named, such as %s",
			s.ExitCode, round(s.Took), len(s.Named), s.Refusing, s.Named[0])
	}
	return c
}

func round(d time.Duration) time.Duration { return d.Round(10 * time.Millisecond) }
