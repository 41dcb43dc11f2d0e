package alert

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/headcount-go/headcount"
)

// A Rule watches one value. [Rules] gives those there are; their fields may be changed before they are given to [New].
type Rule struct {
	Name     string
	Severity Severity
	Summary  string
	// Fires is the value from which on the rule is broken, For how long that must last for the alert to fire.
	Fires float64
	For   time.Duration
	// Clears is the value below which it is over, KeepFor how long that must last for the alert to be resolved.
	Clears  float64
	KeepFor time.Duration

	measure func(s *sight, out func(m measured))
}

// measured is the value of a rule at a supervisor, or at one limit of it.
type measured struct {
	limit   string
	value   float64
	details func() string // asked for only where the alert is told
}

// Rules gives the rules as they are by default. A program may leave some out, or change what they fire at:
//
//   - HeadcountNearLimit (warning): 80 % of a limit is in use, for five minutes. It is over below 70 %. For limits from 5 on.
//     HeadcountSubtreeNearLimit is the same for the limit on all descendants.
//   - HeadcountFull (warning): starts are refused because a limit is reached, again and again for a minute.
//     HeadcountSubtreeFull is the same where it is the limit on all descendants of a supervisor above.
//   - HeadcountQueueNearFull (warning): 80 % of the starts that may wait do, for two minutes. It is over below 60 %.
//   - HeadcountRefusing (critical): of what came in the last five minutes 5 % was refused, for two minutes, and ten
//     starts at least. It is over below 2 %.
//   - HeadcountUnlimited (info): a limit is Unlimited.
//   - HeadcountFullInAnHour (warning): a line through the last fifteen minutes reaches the limit within an hour, for
//     five minutes. For limits that are half used.
//   - HeadcountAboveLimit (info): a limit was lowered below what is held, and is after an hour.
//   - HeadcountRestartBudgetNearlyUsed (warning): of the budget of restarts 60 % is used: 2 of 3.
//   - HeadcountRestartsRising (warning): five restarts or more in five minutes, and three times as many as in the five before.
//   - HeadcountStuck (warning): children have outlived their stop, for a minute.
//   - HeadcountLimitLowered (warning): a machine's cap has kept a limit below what was set, for fifteen minutes.
//   - HeadcountLimitsRefused (warning): what a file says about the limits has something wrong in it.
//   - HeadcountLimitReviewOverdue (info): the review date of a limit has passed.
func Rules() []Rule {
	return []Rule{
		{
			Name: "HeadcountNearLimit", Severity: Warning, Summary: "A supervisor is close to a limit",
			Fires: 0.8, For: 5 * time.Minute, Clears: 0.7, KeepFor: time.Minute, measure: near(maxChildren),
		},
		{
			Name: "HeadcountSubtreeNearLimit", Severity: Warning, Summary: "All below a supervisor are close to their limit",
			Fires: 0.8, For: 5 * time.Minute, Clears: 0.7, KeepFor: time.Minute, measure: near(maxDescendants),
		},
		{
			Name: "HeadcountFull", Severity: Warning, Summary: "A limit is reached and starts are refused",
			Fires: 1, For: time.Minute, Clears: 1, KeepFor: time.Minute, measure: full,
		},
		{
			Name: "HeadcountSubtreeFull", Severity: Warning, Summary: "The limit of a whole subtree is reached and starts are refused",
			Fires: 1, For: time.Minute, Clears: 1, KeepFor: time.Minute, measure: subtreeFull,
		},
		{
			Name: "HeadcountQueueNearFull", Severity: Warning, Summary: "Many starts wait",
			Fires: 0.8, For: 2 * time.Minute, Clears: 0.6, KeepFor: 2 * time.Minute, measure: queueNearFull,
		},
		{
			Name: "HeadcountRefusing", Severity: Critical, Summary: "Much of what comes is refused",
			Fires: 0.05, For: 2 * time.Minute, Clears: 0.02, KeepFor: 2 * time.Minute, measure: refusing,
		},
		{
			Name: "HeadcountUnlimited", Severity: Info, Summary: "A supervisor has no limit",
			Fires: 1, Clears: 1, measure: unlimited,
		},
		{
			Name: "HeadcountFullInAnHour", Severity: Warning, Summary: "At this rate a limit will be reached within an hour",
			Fires: 1, For: 5 * time.Minute, Clears: 0.9, KeepFor: 5 * time.Minute, measure: fullWithinHour,
		},
		{
			Name: "HeadcountAboveLimit", Severity: Info, Summary: "A supervisor has held more than its limit for long",
			Fires: 1, For: time.Hour, Clears: 1, KeepFor: time.Minute, measure: aboveLimit,
		},
		{
			Name: "HeadcountRestartBudgetNearlyUsed", Severity: Warning, Summary: "A supervisor is about to give up",
			Fires: 0.6, Clears: 0.3, KeepFor: time.Minute, measure: budgetUsed,
		},
		{
			Name: "HeadcountRestartsRising", Severity: Warning, Summary: "Children are restarted more and more often",
			Fires: 3, For: time.Minute, Clears: 1.5, KeepFor: 5 * time.Minute, measure: restartsRising,
		},
		{
			Name: "HeadcountStuck", Severity: Warning, Summary: "Children do not stop when they are asked to",
			Fires: 1, For: time.Minute, Clears: 1, measure: stuck,
		},
		{
			Name: "HeadcountLimitLowered", Severity: Warning, Summary: "A machine has kept a limit below what was set for long",
			Fires: 1, For: 15 * time.Minute, Clears: 1, KeepFor: time.Minute, measure: heldDown,
		},
		{
			Name: "HeadcountLimitsRefused", Severity: Warning, Summary: "What a file says about the limits is refused",
			Fires: 1, Clears: 1, measure: limitsRefused,
		},
		{
			Name: "HeadcountLimitReviewOverdue", Severity: Info, Summary: "The review date of a limit has passed",
			Fires: 1, Clears: 1, measure: reviewDue,
		},
	}
}

// A sight is a supervisor at one moment, with its past.
type sight struct {
	node *headcount.TreeNode
	past *past
	now  time.Time
}

// smallLimit is where a limit has nothing near it: one child less than full is far from it.
const smallLimit = 5

// counted calls out for each limit that counts something: own children, if they come and go, and descendants.
func (s *sight) counted(out func(l headcount.LimitSnapshot, held int)) {
	for _, l := range s.node.Limits {
		switch {
		case l.Name == maxChildren && s.node.Kind != headcount.SupervisorKind: // the declared ones are there to stay
			out(l, s.node.Counts.Running)
		case l.Name == maxDescendants && s.node.Descendants >= 0:
			out(l, s.node.Descendants)
		}
	}
}

// all calls out for each limit, those of gates included.
func (s *sight) all(out func(headcount.LimitSnapshot)) {
	for _, l := range s.node.Limits {
		out(l)
	}
	for _, g := range s.node.Gates {
		out(g.LimitSnapshot)
	}
}

// The limits that count something.
const (
	maxChildren    = "max_children"
	maxDescendants = "max_descendants"
)

// near measures how near to this limit a supervisor is.
func near(limit string) func(*sight, func(measured)) {
	return func(s *sight, out func(measured)) {
		s.counted(func(l headcount.LimitSnapshot, held int) {
			if l.Name != limit || l.InForce < smallLimit || l.InForce == headcount.Unlimited {
				return
			}
			used := float64(held) / float64(l.InForce)
			out(measured{l.Name, used, func() string {
				return fmt.Sprintf("%d of %s %d (%.0f %%)", held, l.Name, l.InForce, used*100)
			}})
		})
	}
}

func aboveLimit(s *sight, out func(measured)) {
	s.counted(func(l headcount.LimitSnapshot, held int) {
		out(measured{l.Name, float64(max(held-l.InForce, 0)), func() string {
			return fmt.Sprintf("%d are held, %s is %s; lowering a limit ends no child", held, l.Name, limitText(l.InForce))
		}})
	})
}

func queueNearFull(s *sight, out func(measured)) {
	n := s.node
	if n.Queue == 0 {
		return
	}
	used := float64(n.Counts.Waiting) / float64(n.Queue)
	out(measured{"", used, func() string {
		return fmt.Sprintf("%d of the %d starts that may wait do (%.0f %%)", n.Counts.Waiting, n.Queue, used*100)
	}})
}

// recently is how long after a refusal a place counts as refusing.
const recently = 30 * time.Second

func full(s *sight, out func(measured)) {
	out(s.refusesBy(maxChildren, &s.past.refusedHere, s.node.Counts.Limit))
	for _, g := range s.node.Gates {
		if c := s.past.gates[g.Name]; c != nil {
			out(s.refusesBy(g.Name, c, g.InForce))
		}
	}
}

func subtreeFull(s *sight, out func(measured)) {
	if c := &s.past.refusedAbove; c.total > 0 {
		out(s.refusesBy(maxDescendants, c, limitAbove))
	}
}

// refusesBy tells whether starts were refused recently for this limit.
func (s *sight) refusesBy(limit string, c *lastGrowth, inForce int) measured {
	value := 0.0
	if !c.at.IsZero() && s.now.Sub(c.at) <= recently {
		value = 1
	}
	return measured{limit, value, func() string {
		return fmt.Sprintf("%d starts refused since the process began, %s is %s", c.total, limit, limitText(inForce))
	}}
}

// limitAbove stands for a limit that belongs to a supervisor above.
const limitAbove = -1

func limitText(n int) string {
	switch n {
	case headcount.Unlimited:
		return "unlimited"
	case limitAbove:
		return "that of a supervisor above"
	}
	return strconv.Itoa(n)
}

func refusing(s *sight, out func(measured)) {
	const enough = 10
	then := s.past.before(s.now, 5*time.Minute)
	refused := float64(refusedStarts(s.node) - then.refused)
	came := refused + float64(s.node.Counts.Started-then.started)
	share := 0.0
	if refused >= enough {
		share = refused / came
	}
	out(measured{"", share, func() string {
		return fmt.Sprintf("%.0f of %.0f starts of the last five minutes refused (%.1f %%)", refused, came, share*100)
	}})
}

// refusedStarts is what the supervisor refused. What gates count may be parts of requests, or several for one start.
func refusedStarts(n *headcount.TreeNode) uint64 {
	return n.Counts.Refused.Total() - n.Counts.Refused.Gates
}

func unlimited(s *sight, out func(measured)) {
	s.all(func(l headcount.LimitSnapshot) {
		if l.InForce == headcount.Unlimited {
			out(measured{l.Name, 1, func() string { return l.Name + " is unlimited" }})
		}
	})
}

func fullWithinHour(s *sight, out func(measured)) {
	s.counted(func(l headcount.LimitSnapshot, held int) {
		if l.InForce < smallLimit || l.InForce == headcount.Unlimited || held*2 < l.InForce || held >= l.InForce {
			return
		}
		then, ok := s.past.predict(s.now, held, l.Name == maxDescendants, time.Hour)
		if !ok {
			return
		}
		out(measured{l.Name, then / float64(l.InForce), func() string {
			return fmt.Sprintf("%d of %s %d now, %.0f in an hour", held, l.Name, l.InForce, math.Max(then, 0))
		}})
	})
}

func budgetUsed(s *sight, out func(measured)) {
	n := s.node
	if n.RestartsAllowed == 0 {
		return
	}
	out(measured{"", float64(n.RestartsUsed) / float64(n.RestartsAllowed), func() string {
		return fmt.Sprintf("%d of %d restarts within %v used", n.RestartsUsed, n.RestartsAllowed, n.RestartsWithin)
	}})
}

func restartsRising(s *sight, out func(measured)) {
	const enough = 5
	five, ten := s.past.before(s.now, 5*time.Minute), s.past.before(s.now, 10*time.Minute)
	now, then := s.node.Counts.Restarts-five.restarts, five.restarts-ten.restarts
	value := 0.0
	if now >= enough {
		value = float64(now) / float64(max(then, 1))
	}
	out(measured{"", value, func() string {
		return fmt.Sprintf("%d restarts in the last five minutes, %d in the five before", now, then)
	}})
}

func stuck(s *sight, out func(measured)) {
	out(measured{"", float64(s.node.Counts.Stuck), func() string {
		return fmt.Sprintf("%d children have outlived their allowance; each keeps its slot until it returns", s.node.Counts.Stuck)
	}})
}

func heldDown(s *sight, out func(measured)) {
	s.all(func(l headcount.LimitSnapshot) {
		if l.InForce >= l.Setting.Value {
			return
		}
		for _, c := range l.Caps {
			if c.Value == l.InForce {
				out(measured{l.Name, 1, func() string {
					return fmt.Sprintf("%s is %d instead of %s, held by %s: %s", l.Name, l.InForce, limitText(l.Setting.Value), c.Name, c.Why)
				}})
				return
			}
		}
	})
}

func limitsRefused(s *sight, out func(measured)) {
	for _, source := range s.node.LimitSources {
		if source.Err != nil {
			out(measured{source.Name, 1, func() string {
				return fmt.Sprintf("the limits of %s are refused, the old ones stay: %v", source.Name, source.Err)
			}})
		}
	}
}

func reviewDue(s *sight, out func(measured)) {
	s.all(func(l headcount.LimitSnapshot) {
		if r := l.Setting.Review; !r.IsZero() && !s.now.Before(r) {
			out(measured{l.Name, 1, func() string {
				who := strings.TrimSpace(l.Setting.Source + " " + l.Setting.By)
				return fmt.Sprintf("%s %s, set by %s, was to be reviewed by %s", l.Name, limitText(l.Setting.Value), who, r.Format(time.DateOnly))
			}})
		}
	})
}
