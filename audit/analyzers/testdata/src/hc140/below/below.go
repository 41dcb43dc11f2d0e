// Package below has a limit above.
package below

import "github.com/headcount-go/headcount"

var all = headcount.MaxDescendants(10_000)

func jobs() *headcount.DynamicSupervisor {
	return headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(headcount.Unlimited)) // want `HC140\) low unbounded`
}
