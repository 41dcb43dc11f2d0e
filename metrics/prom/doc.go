// Package prom gives the numbers of Headcount's supervisors to Prometheus.
//
//	registry := prometheus.NewRegistry()
//	registry.MustRegister(prom.NewCollector(prom.Config{}, app))
//	http.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
//
// The collector reads the trees when it is scraped and costs nothing in between: no child, start or refusal is slowed down.
//
// # Metrics
//
// All have the label supervisor, which is the path, but for the last group. None has a label for a child or a key: a
// supervisor that is a child of a dynamic or keyed one is not told of, but counted there.
//
//	headcount_children                           slots held: children that run, restart, stop or are stuck
//	headcount_children_limit                     the limit in force; no series while there is none
//	headcount_children_peak                      the most slots ever held at once
//	headcount_children_restarting                children between two runs
//	headcount_children_stuck                     children past the allowance of their stop
//	headcount_supervisor_unlimited               1 if nothing limits the number of its children, else 0
//	headcount_children_started_total
//	headcount_children_refused_total{reason}     max_children, max_per_key, max_descendants, queue_full, wait_timeout, priority, and the names of gates
//	headcount_child_restarts_total
//	headcount_child_exits_total{reason}          normal, stopped, error, panic, goexit
//	headcount_child_lifetime_seconds             histogram; not of declared children
//	headcount_starts_waiting                     starts that wait for a slot
//	headcount_starts_waiting_limit               how many may; of supervisors with a queue
//	headcount_start_wait_seconds                 histogram; of supervisors with a queue
//	headcount_restart_budget                     restarts allowed within the period of the budget
//	headcount_restart_budget_used                of these, used up now; always 0 where each child has a budget of its own
//
//	headcount_children_per_key_limit             of keyed supervisors
//	headcount_descendants                        of supervisors with MaxDescendants, as the next two
//	headcount_descendants_limit
//	headcount_descendants_peak
//	headcount_charged_bytes                      what children have charged
//	headcount_charged_bytes_limit                where there is a budget
//
//	headcount_gate_limit{gate}                   the limit of a gate; no series while there is none
//	headcount_gate_refused_total{gate}
//	headcount_gate_observed_total{gate}          what a gate that only observes would have refused
//
//	headcount_limit_lowered{limit}               1 while a machine's cap holds the limit below what a person has set
//	headcount_limit_changes_total{source}        code, page, file, command, cap, expiry and the like
//	headcount_limit_review_timestamp_seconds{limit}   when the limit is to be looked at again; where a date was given
//
//	headcount_limit_source_sets_total{source,result}   times that the limits of a file were set, or refused as a whole
//	headcount_limit_source_refused{source}       1 while they are refused
//
//	headcount_supervisors_omitted                supervisors left out of the scrape
//	headcount_gates_omitted                      gates left out
//
// The histograms are native ones for a server that takes them, and classic ones with a bucket for each power of four of a
// microsecond for others. Headcount counts in buckets that are powers of two of a microsecond; those of native histograms
// are powers of two of a second. A million is nearly 2^20: a value in a native bucket may be told up to 5 % too small.
package prom
