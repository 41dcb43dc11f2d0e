package rules

import (
	"fmt"
	"strings"
)

// The severities: who is told by info looks at it some time, by warning today, by critical now.
const (
	info     = "info"
	warning  = "warning"
	critical = "critical"
)

// An alert says what one alert is; expr is made for the tree.
type alert struct {
	name, severity, hold, keep string
	expr                       string
	summary, description       string
}

// fullReasons are the refusals that say that the supervisor itself is full. A key that has enough is another matter.
const fullReasons = `reason=~"max_children|queue_full|wait_timeout|priority"`

// smallest is the limit from which being near it says something: of three slots, two are near nothing.
const smallest = "5"

func alerts(t Tree, s selector, o Options) []Rule {
	near, refusing := number(o.Near), number(o.Refusing)
	list := []alert{
		{
			name: "HeadcountNearLimit", severity: warning, hold: "5m",
			expr:        fmt.Sprintf("%s >= %s\nand %s >= %s", s.grows(childrenRatio), near, s.of("headcount_children_limit"), smallest),
			summary:     "{{ $labels.supervisor }} is near its limit",
			description: "{{ $labels.supervisor }} holds {{ $value | humanizePercentage }} of the children it may. At its limit it refuses starts.",
		},
		{
			name: "HeadcountFull", severity: warning, hold: "2m",
			expr: fmt.Sprintf("max_over_time(%s[5m]) >= 1\nand sum without (reason) (rate(%s[5m])) > 0",
				s.of(childrenRatio), s.of("headcount_children_refused_total", fullReasons)),
			summary:     "{{ $labels.supervisor }} is full and refuses starts",
			description: "{{ $labels.supervisor }} has reached its limit and refuses starts for it.",
		},
		{
			name: "HeadcountRefusing", severity: critical, hold: "5m",
			expr:        fmt.Sprintf("%s > %s\nand %s > 0.05", s.of(refusedRatio), refusing, s.of(refusedRate)),
			summary:     "{{ $labels.supervisor }} refuses much of what comes",
			description: "{{ $labels.supervisor }} refuses {{ $value | humanizePercentage }} of the starts, for any reason: its own limit, a key's, a gate's.",
		},
		{
			name: "HeadcountUnlimited", severity: info, hold: "10m",
			expr:        s.of("headcount_supervisor_unlimited") + " == 1",
			summary:     "{{ $labels.supervisor }} has no limit",
			description: "Nothing limits how many children {{ $labels.supervisor }} may hold. What comes in from outside can exhaust the process.",
		},
		{
			name: "HeadcountFullInAnHour", severity: warning, hold: "10m",
			expr: fmt.Sprintf("predict_linear(%s[30m], 3600) > %s\nand %s > 0.5 < 1\nand %s >= %s",
				s.grows("headcount_children"), s.of("headcount_children_limit"), s.of(childrenRatio), s.of("headcount_children_limit"), smallest),
			summary:     "{{ $labels.supervisor }} will be full within an hour",
			description: "At the rate of the last half hour {{ $labels.supervisor }} would hold {{ $value | humanize }} children in an hour, more than its limit.",
		},
		{
			name: "HeadcountAboveLimit", severity: info, hold: "1h",
			expr:        s.of("headcount_children") + " > " + s.of("headcount_children_limit"),
			summary:     "{{ $labels.supervisor }} holds more children than its limit",
			description: "The limit of {{ $labels.supervisor }} was lowered below what it holds, {{ $value }}. Lowering ends no child, and in an hour not enough have ended.",
		},
		{
			name: "HeadcountRestartBudgetNearlyUsed", severity: warning, keep: "10m",
			expr:        fmt.Sprintf("max_over_time(%s[5m]) >= 0.66", s.of(budgetRatio)),
			summary:     "{{ $labels.supervisor }} has nearly used its budget of restarts",
			description: "{{ $labels.supervisor }} has used {{ $value | humanizePercentage }} of the restarts it may make within its period. Past it, it gives up and fails upwards.",
		},
		{
			name: "HeadcountRestartsRising", severity: warning, hold: "5m",
			expr: fmt.Sprintf("%s > 3 * (rate(%[2]s[1h] offset 5m) or 0 * %[2]s)\nand %[1]s > 1 / 60",
				s.of(restartsRate), s.of("headcount_child_restarts_total")),
			summary:     "Children of {{ $labels.supervisor }} restart more often than before",
			description: "Children of {{ $labels.supervisor }} restart {{ $value | humanize }} times a second, more than three times as often as in the hour before.",
		},
		{
			name: "HeadcountStuck", severity: warning, hold: "1m",
			expr:        s.of("headcount_children_stuck") + " > 0",
			summary:     "Children of {{ $labels.supervisor }} do not stop",
			description: "{{ $value }} children of {{ $labels.supervisor }} were asked to stop and have not returned in time. They keep their slots.",
		},
		{
			name: "HeadcountLimitLowered", severity: warning, hold: "30m",
			expr:        s.of("headcount_limit_lowered") + " == 1",
			summary:     "{{ $labels.limit }} of {{ $labels.supervisor }} has been held down for long",
			description: "A cap that a machine has set, for pressure or the like, has held {{ $labels.limit }} of {{ $labels.supervisor }} below its setting for half an hour.",
		},
		{
			name: "HeadcountLimitsRefused", severity: warning, hold: "1m",
			expr:        s.of("headcount_limit_source_refused") + " == 1",
			summary:     "The limits of {{ $labels.source }} for {{ $labels.supervisor }} are refused",
			description: "What {{ $labels.source }} says about the limits below {{ $labels.supervisor }} has something wrong in it. None of it is set, the old limits stay.",
		},
		{
			name: "HeadcountLimitReviewOverdue", severity: info,
			expr:        fmt.Sprintf("time() - %s > 0", s.of("headcount_limit_review_timestamp_seconds")),
			summary:     "{{ $labels.limit }} of {{ $labels.supervisor }} was to be looked at again",
			description: "Who set {{ $labels.limit }} of {{ $labels.supervisor }} wanted it looked at again {{ $value | humanizeDuration }} ago.",
		},
		{
			name: "HeadcountNotAllShown", severity: info, hold: "10m",
			// These two series have no supervisor, so that they are not the tree's.
			expr:        fmt.Sprintf("%s > 0\nor %s > 0", series("headcount_supervisors_omitted", matchOnly(o)), series("headcount_gates_omitted", matchOnly(o))),
			summary:     "Not all supervisors or gates are in the metrics",
			description: "{{ $value }} supervisors or gates were left out of the scrape. No alert tells of them.",
		},
	}
	if t.Subtrees {
		list = append(list,
			alert{
				name: "HeadcountSubtreeNearLimit", severity: warning, hold: "5m",
				expr:        fmt.Sprintf("%s >= %s\nand %s >= %s", s.of(descendantsRatio), near, s.of("headcount_descendants_limit"), smallest),
				summary:     "The subtree of {{ $labels.supervisor }} is near its limit",
				description: "All below {{ $labels.supervisor }} hold {{ $value | humanizePercentage }} of the descendants it may have.",
			},
			alert{
				name: "HeadcountSubtreeFull", severity: warning, hold: "2m",
				expr:        fmt.Sprintf("sum without (reason) (rate(%s[5m])) > 0", s.of("headcount_children_refused_total", `reason="max_descendants"`)),
				summary:     "The subtree of {{ $labels.supervisor }} is full and refuses starts",
				description: "Starts below {{ $labels.supervisor }} are refused because its whole subtree has reached its limit.",
			})
	}
	if t.Queues {
		list = append(list, alert{
			name: "HeadcountQueueNearFull", severity: warning, hold: "2m",
			expr:        fmt.Sprintf("%s >= %s", s.of(waitingRatio), near),
			summary:     "Many starts wait at {{ $labels.supervisor }}",
			description: "{{ $value | humanizePercentage }} of the starts that may wait at {{ $labels.supervisor }} do. When its queue is full, starts are refused.",
		})
	}
	var rules []Rule
	for _, a := range list {
		rules = append(rules, Rule{
			Alert: a.name, Expr: a.expr, For: a.hold, KeepFiringFor: a.keep,
			Labels: map[string]string{"severity": a.severity},
			Annotations: map[string]string{
				"summary": a.summary, "description": a.description, "runbook_url": o.Runbook + "#" + strings.ToLower(a.name),
			},
		})
	}
	return rules
}

func matchOnly(o Options) []string {
	if o.Match == "" {
		return nil
	}
	return []string{o.Match}
}
