package prom

import "github.com/prometheus/client_golang/prometheus"

// descs are the descriptions of all metrics, filled by desc.
var descs []*prometheus.Desc

func desc(name, help string, labels ...string) *prometheus.Desc {
	d := prometheus.NewDesc("headcount_"+name, help, labels, nil)
	descs = append(descs, d)
	return d
}

const bySupervisor = "supervisor"

var (
	children = desc("children", "Slots held: children that run, restart, stop or are stuck, and starts about to run.", bySupervisor)

	childrenLimit      = desc("children_limit", "Limit in force on the children of the supervisor. No series while there is none.", bySupervisor)
	childrenPeak       = desc("children_peak", "Most slots ever held at once.", bySupervisor)
	childrenRestarting = desc("children_restarting", "Children between two runs.", bySupervisor)
	childrenStuck      = desc("children_stuck", "Children that have outlived the allowance of their stop, and keep their slots.", bySupervisor)
	unlimited          = desc("supervisor_unlimited", "1 if nothing limits the number of children of the supervisor, else 0.", bySupervisor)
	childrenStarted    = desc("children_started_total", "Children started.", bySupervisor)
	childrenRefused    = desc("children_refused_total", "Starts refused, by the limit that said no: a word of Headcount's or the name of a gate.", bySupervisor, "reason")
	childRestarts      = desc("child_restarts_total", "Restarts of children.", bySupervisor)
	childExits         = desc("child_exits_total", "Children that have ended for good, by how.", bySupervisor, "reason")
	childLifetime      = desc("child_lifetime_seconds", "Lifetimes of children that have ended.", bySupervisor)

	startsWaiting      = desc("starts_waiting", "Starts that wait for a slot.", bySupervisor)
	startsWaitingLimit = desc("starts_waiting_limit", "Number of starts that may wait.", bySupervisor)
	startWait          = desc("start_wait_seconds", "Time that starts have waited for a slot, those refused in the end included.", bySupervisor)

	restartBudget     = desc("restart_budget", "Restarts that are allowed within the period of the budget.", bySupervisor)
	restartBudgetUsed = desc("restart_budget_used", "Restarts within the present period. Always 0 where each child has a budget of its own.", bySupervisor)

	perKeyLimit       = desc("children_per_key_limit", "Limit in force on the children of one key. No series while there is none.", bySupervisor)
	descendants       = desc("descendants", "Slots held under the limit on the whole subtree.", bySupervisor)
	descendantsLimit  = desc("descendants_limit", "Limit in force on the whole subtree. No series while there is none.", bySupervisor)
	descendantsPeak   = desc("descendants_peak", "Most slots ever held at once under the limit on the whole subtree.", bySupervisor)
	chargedBytes      = desc("charged_bytes", "Memory that children say they hold.", bySupervisor)
	chargedBytesLimit = desc("charged_bytes_limit", "Budget for the memory that children say they hold.", bySupervisor)

	gateLimit    = desc("gate_limit", "Limit of the gate in force. No series while there is none.", bySupervisor, "gate")
	gateRefused  = desc("gate_refused_total", "What the gate has refused.", bySupervisor, "gate")
	gateObserved = desc("gate_observed_total", "What the gate, which only observes, would have refused.", bySupervisor, "gate")

	limitLowered = desc("limit_lowered", "1 while a machine's cap holds the limit below what a person has set, else 0.", bySupervisor, "limit")
	limitChanges = desc("limit_changes_total", "Changes of limits, by where they came from.", bySupervisor, "source")
	limitReview  = desc("limit_review_timestamp_seconds", "When somebody should look at the limit again. No series where no date was given.", bySupervisor, "limit")

	limitSourceSets    = desc("limit_source_sets_total", "Times that the limits of a source, such as a file, were set or refused as a whole.", bySupervisor, "source", "result")
	limitSourceRefused = desc("limit_source_refused", "1 while the limits of the source are refused, else 0.", bySupervisor, "source")

	supervisorsOmitted = desc("supervisors_omitted", "Supervisors left out of the scrape: too many, or with a path that another has.")
	gatesOmitted       = desc("gates_omitted", "Gates left out of the scrape: too many at one supervisor.")
)
