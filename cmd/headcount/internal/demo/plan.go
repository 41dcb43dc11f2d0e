package demo

import (
	"fmt"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/attack"
	"github.com/headcount-go/headcount/cmd/headcount/internal/honest"
	"github.com/headcount-go/headcount/cmd/headcount/internal/report"
)

// plan is everything that has a size or a duration. All of it is bounded, and small enough for two slow cores which the
// attacker and the application share.
type plan struct {
	budget time.Duration // for the whole run

	calm    time.Duration // before the first attack
	attack  time.Duration // one attack, from the first shot until it lets go
	fire    time.Duration // in which its shots are spread
	recover time.Duration // at most, until the next attack

	honest     honest.Config
	limits     report.Limits
	userQueue  int
	jobWait    time.Duration
	stopWithin time.Duration

	jobs, websockets, newUsers, crashes, hangs int
	newUsersHeld                               int // at most, 0: no end

	notes []string
}

func fullPlan() plan {
	return plan{
		budget:  2 * time.Minute,
		calm:    3 * time.Second,
		attack:  7 * time.Second,
		fire:    5 * time.Second,
		recover: 2 * time.Second,
		honest: honest.Config{
			Users:     20,
			EchoEvery: 250 * time.Millisecond,
			OpenEvery: 100 * time.Millisecond,
			JobEvery:  150 * time.Millisecond,
			MailEvery: 150 * time.Millisecond,
			Patience:  4 * time.Second,
		},
		limits:     withShares(report.Limits{Users: 1000, PerUser: 8, Jobs: 10, JobQueue: 16, Requests: 200, Conns: 4000}),
		userQueue:  64,
		jobWait:    500 * time.Millisecond,
		stopWithin: 2 * time.Second,
		jobs:       5000,
		websockets: 4000,
		newUsers:   10_000,
		crashes:    2000,
		hangs:      500,
	}
}

func quickPlan() plan {
	p := fullPlan()
	p.budget = 30 * time.Second
	p.calm = 600 * time.Millisecond
	p.attack = 1500 * time.Millisecond
	p.fire = 1000 * time.Millisecond
	p.recover = 600 * time.Millisecond
	p.honest.Users = 12
	p.honest.Patience = 3 * time.Second
	p.limits = withShares(report.Limits{Users: 500, PerUser: 8, Jobs: 10, JobQueue: 16, Requests: 200, Conns: 2000})
	p.jobWait = 250 * time.Millisecond
	p.stopWithin = time.Second
	p.jobs, p.websockets, p.newUsers, p.crashes, p.hangs = 1000, 1500, 3000, 600, 200
	p.notes = append(p.notes, "Quick: shorter and smaller attacks than in a full run.")
	return p
}

// withShares fills in the part of a limit that users who are not proven may fill: four fifths, rounded up. That is the
// application's own rule, not a flag of it.
func withShares(l report.Limits) report.Limits {
	l.NewUsers = (4*l.Users + 4) / 5
	l.NewJobs = (4*l.Jobs + 4) / 5
	return l
}

// minDescriptors is what the demo needs to show anything.
const minDescriptors = 256

// fit makes the plan smaller where there are few file descriptors. Each websocket costs one in the demo and one in the
// application, which has the same limit.
func (p *plan) fit(descriptors int) error {
	if descriptors == 0 { // unknown
		return nil
	}
	if descriptors < minDescriptors {
		return fmt.Errorf("only %d file descriptors are allowed, at least %d are needed (ulimit -n)", descriptors, minDescriptors)
	}
	// A quarter is kept for the honest users, the store and requests under way.
	hold := descriptors - max(64, min(descriptors/4, 1500))
	if hold < max(p.websockets, p.newUsers) {
		p.notes = append(p.notes, fmt.Sprintf("Only %d file descriptors are allowed: no attack holds more than %d websockets.", descriptors, hold))
	}
	p.websockets = min(p.websockets, hold)
	p.newUsersHeld = hold
	p.limits.Conns = min(p.limits.Conns, descriptors/2)
	if small := descriptors / 4; small < p.limits.Users {
		p.limits.Users = small
		p.limits = withShares(p.limits)
		p.notes = append(p.notes, fmt.Sprintf("Only %d file descriptors are allowed: the protected application takes only %d children of users.", descriptors, small))
	}
	return nil
}

// attacks returns the attacks in order. The one that leaves children behind for good comes last.
func (p *plan) attacks() []assault {
	crowd := attack.WebsocketsOfNewUsers(p.newUsers)
	crowd.HoldAtMost = p.newUsersHeld
	return []assault{
		{Attack: attack.JobFlood(p.jobs)},
		{Attack: attack.WebsocketsOfOneUser(p.websockets), heldLimit: p.limits.PerUser},
		{Attack: crowd, heldLimit: p.limits.NewUsers},
		{Attack: attack.CrashStorm(p.crashes)},
		{Attack: attack.Hang(p.hangs), heldLimit: p.limits.NewJobs, staysBehind: true},
	}
}

// assault is an attack and what the demo knows about it.
type assault struct {
	attack.Attack
	// heldLimit is the most that the attacker may hold of the protected application, 0 where it holds nothing for long.
	heldLimit int
	// staysBehind says that its children do not go away when the attacker does.
	staysBehind bool
}
