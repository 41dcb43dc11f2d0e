package beam

import "github.com/headcount-go/headcount/audit/report"

// added reports a supervisor of declared children to which a request or a message adds more.
func (r *review) added(sup *supervisor, row *report.Supervisor) {
	if sup.kind.name != "Supervisor" || sup.name == "" {
		return
	}
	who, path := r.startOf(sup, false)
	if who < report.Unbounded {
		return
	}
	row.Limit = report.Limit{State: report.Unlimited, Text: "children are added to those declared"}
	row.Criticality, row.Reach = who, path
	r.add(sup.in, sup.at, report.Finding{
		Rule: "HC214", Confidence: report.Medium, Criticality: who, Reach: path,
		Message: sup.called() + " is made for declared children, and more are added without a limit",
		Remedy:  "{DynamicSupervisor, name: MyApp.Children, strategy: :one_for_one, max_children: 1_000}",
	})
}
