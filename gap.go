package headcount

// A point is a place in admission where another goroutine could get in between.
type point uint8

const (
	beforeOwn      point = iota // levels above were read, the supervisor's own is not taken yet
	beforeLevel                 // some levels are taken, the next one is not
	beforeRegister              // all levels are taken, the child is not in the registry yet
	beforeRelease               // the child has left the registry, its slots are not free yet
	beforePublish               // its slots are free, its result cannot be seen yet
	beforeList                  // a level was found full, the queue is not listed there yet
	beforeSwap                  // a level was found to have room, it is not taken yet
)

// onGap is nil but in tests, which preempt there: synthetic time alone never does. It is set before the goroutines of
// a test begin and cleared after they have ended.
var onGap func(point)

func gap(at point) {
	if onGap != nil {
		onGap(at)
	}
}
