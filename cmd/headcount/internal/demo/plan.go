package demo

import (
	"fmt"
	"slices"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/attack"
	"github.com/headcount-go/headcount/cmd/headcount/internal/honest"
	"github.com/headcount-go/headcount/cmd/headcount/internal/loopback"
	"github.com/headcount-go/headcount/cmd/headcount/internal/report"
)

// plan is everything that has a size or a duration. All of it is bounded, and small enough for two slow cores which the
// attacker and the application share.
type plan struct {
	budget time.Duration // for the whole run

	calm  time.Duration // before the first attack
	long  timing        // of the attacks by users
	short timing        // of the attacks on connections, which show at once what they do

	honest     honest.Config
	limits     report.Limits
	userQueue  int
	jobWait    time.Duration
	stopWithin time.Duration
	slow       time.Duration // how slow a client may be: with its header, its body, and in taking an answer

	jobs, websockets, newUsers, crashes, hangs int

	flood, slowHeaders, slowBodies, slowReaders, resets, spoofs, refusedBodies int

	heldAtMost int // connections of one attack, 0: no end

	notes []string
}

// timing is the time of one attack.
type timing struct {
	attack  time.Duration // from the first shot until it lets go
	fire    time.Duration // in which its shots are spread
	recover time.Duration // at most, until the next attack
}

func fullPlan() plan {
	return plan{
		budget: 2 * time.Minute,
		calm:   2 * time.Second,
		long:   timing{attack: 4500 * time.Millisecond, fire: 3 * time.Second, recover: time.Second},
		short:  timing{attack: 2500 * time.Millisecond, fire: 1500 * time.Millisecond, recover: 700 * time.Millisecond},
		honest: honest.Config{
			Users:     20,
			EchoEvery: 250 * time.Millisecond,
			OpenEvery: 100 * time.Millisecond,
			JobEvery:  150 * time.Millisecond,
			MailEvery: 150 * time.Millisecond,
			Patience:  4 * time.Second,
		},
		limits: withShares(report.Limits{
			Users: 1000, PerUser: 8, Jobs: 10, JobQueue: 16, Requests: 200,
			Conns: 4000, ConnsPerClient: 32, ConnsPerPrefix: 256, RequestsPerUser: 64,
		}),
		userQueue:  64,
		jobWait:    500 * time.Millisecond,
		stopWithin: 2 * time.Second,
		slow:       time.Second,
		jobs:       3000, websockets: 3000, newUsers: 6000, crashes: 1500, hangs: 500,
		flood: 3000, slowHeaders: 400, slowBodies: 400, slowReaders: 300, resets: 60, spoofs: 3000, refusedBodies: 400,
	}
}

func quickPlan() plan {
	p := fullPlan()
	p.budget = 30 * time.Second
	p.calm = 400 * time.Millisecond
	p.long = timing{attack: 800 * time.Millisecond, fire: 500 * time.Millisecond, recover: 300 * time.Millisecond}
	p.short = timing{attack: 600 * time.Millisecond, fire: 300 * time.Millisecond, recover: 200 * time.Millisecond}
	p.honest.Users = 12
	p.honest.Patience = 3 * time.Second
	p.limits.Users, p.limits.Conns = 500, 2000
	p.limits = withShares(p.limits)
	p.jobWait = 250 * time.Millisecond
	p.stopWithin = 800 * time.Millisecond
	p.slow = 250 * time.Millisecond
	p.jobs, p.websockets, p.newUsers, p.crashes, p.hangs = 500, 600, 1500, 300, 100
	p.flood, p.slowHeaders, p.slowBodies, p.slowReaders, p.resets, p.spoofs, p.refusedBodies = 800, 150, 150, 120, 15, 1000, 150
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
	if hold < max(p.websockets, p.newUsers, p.flood) {
		p.notes = append(p.notes, fmt.Sprintf("Only %d file descriptors are allowed: no attack holds more than %d connections.", descriptors, hold))
	}
	p.heldAtMost = hold
	p.limits.Conns = min(p.limits.Conns, descriptors/2)
	// The networks that the flood comes from must leave room for others.
	p.limits.ConnsPerPrefix = min(p.limits.ConnsPerPrefix, p.limits.Conns/(4*manyClients.Networks))
	p.limits.ConnsPerClient = min(p.limits.ConnsPerClient, p.limits.ConnsPerPrefix)
	if small := descriptors / 4; small < p.limits.Users {
		p.limits.Users = small
		p.limits = withShares(p.limits)
		p.notes = append(p.notes, fmt.Sprintf("Only %d file descriptors are allowed: the protected application takes only %d children of users.", descriptors, small))
	}
	return nil
}

// Where the attacks on connections come from. A client or a network alone reaches a limit of its own.
var (
	manyClients = attack.Clients{Networks: 2, Each: 16}
	oneClient   = attack.Clients{Networks: 1, Each: 1}
	someClients = attack.Clients{Networks: 8, Each: 2}
)

// attacks returns the attacks in order. The one that leaves children behind for good comes last. Those on connections
// need clients that can be told apart.
func (p *plan) attacks() []assault {
	all := []assault{
		{Attack: attack.JobFlood(p.jobs), timing: p.long},
		{Attack: attack.WebsocketsOfOneUser(p.websockets), timing: p.long, heldLimit: p.limits.PerUser},
		{Attack: attack.WebsocketsOfNewUsers(p.newUsers), timing: p.long, heldLimit: p.limits.NewUsers},
		{Attack: attack.CrashStorm(p.crashes), timing: p.long},
	}
	if loopback.Many() {
		flooded := manyClients.Networks * min(p.limits.ConnsPerPrefix, manyClients.Each*p.limits.ConnsPerClient)
		all = append(all,
			assault{Attack: attack.ConnectionFlood(p.flood, manyClients), timing: p.short, heldLimit: flooded},
			assault{Attack: attack.SlowHeader(p.slowHeaders, someClients), timing: p.short},
			assault{Attack: attack.SlowBody(p.slowBodies, someClients), timing: p.short},
			assault{Attack: attack.SlowReader(p.slowReaders, someClients), timing: p.short},
			assault{Attack: attack.RapidReset(p.resets, someClients), timing: p.short},
			assault{Attack: attack.SpoofedAddresses(p.spoofs, oneClient), timing: p.short},
			assault{Attack: attack.RefusedBody(p.refusedBodies, someClients), timing: p.short},
		)
	}
	all = append(all, assault{Attack: attack.Hang(p.hangs), timing: p.long, heldLimit: p.limits.NewJobs, staysBehind: true})
	all = slices.DeleteFunc(all, func(a assault) bool { return a.Shots == 0 })
	for i := range all {
		all[i].HoldAtMost = p.heldAtMost
		all[i].from = loopback.Addresses(loopback.Attacks + i)
	}
	return all
}

// assault is an attack and what the demo knows about it.
type assault struct {
	attack.Attack
	timing timing
	from   loopback.From
	// heldLimit is the most that the attacker may hold of the protected application, 0 where it holds nothing for long.
	heldLimit int
	// staysBehind says that its children do not go away when the attacker does.
	staysBehind bool
}
