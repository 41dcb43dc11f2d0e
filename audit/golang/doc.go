// Package golang reviews a Go module as a whole: where it starts goroutines, who decides how many, what limits them, and
// which supervisors, pools and servers it makes with which limits.
//
// The module is loaded with types and turned into SSA form; what other modules do is known by their declarations alone.
// A call graph, refined by variable type analysis, leads from what an outsider reaches (handlers, methods of services,
// callbacks and loops of messages, accept loops) to each start of a goroutine. A start is a finding if its number follows
// from outside, and no limit is taken on every way to it.
//
// What the review does not see: functions that are called by reflection, handlers that no signature tells, limits that are
// kept in another module and have another name than those it knows, values that travel through containers.
package golang
