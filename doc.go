// Package headcount is supervision with limits that hold. It runs goroutines as supervised children in a tree, restarts
// them the way Erlang/OTP does, and never lets more of them run than was allowed: not per supervisor, not per subtree, not
// per key, not for an instant. It imports the standard library only.
//
// # Children and supervisors
//
// A child is a function that runs on a goroutine of its own until it returns, or a supervisor. A [Supervisor] has declared
// children: it starts them in order, restarts them by a [Strategy], and stops them in reverse order. A [DynamicSupervisor]
// has children that come and go, a [KeyedSupervisor] has them by key: by user, say. Supervisors are children of
// supervisors, to any depth; the root is run by [Main], or by its Start, Stop and Wait.
//
//	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(64))
//	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{},
//		headcount.ChildSpec{Name: "store", Run: runStore, AwaitReady: true},
//		jobs,
//	)
//	os.Exit(headcount.Main(context.Background(), app, headcount.MainConfig{}))
//
// A child is asked to stop by the end of its context. A goroutine cannot be killed: a child that does not return is stuck,
// which is shown and counted, and it keeps its slot.
//
// # Limits
//
// A slot is the right to be one child under one limit. A start takes a slot of its key, of its supervisor, and of each
// [MaxDescendants] above, all or none. The child holds them from its admission, through restarts, until Run and its
// deferred calls have returned; they are free before anybody can see its result. At a limit a start is refused with a
// [Refusal], or waits if the supervisor was made with [Wait].
//
//	_, err := users.At(id).Go(ctx, session)
//	switch {
//	case errors.Is(err, headcount.ErrMaxPerKey): // this user has enough
//	case errors.Is(err, headcount.ErrRefused):   // there is no room
//	}
//
// Every [Limit] can be changed while the program runs. A person sets its value; machines may cap it, which only lowers
// it. When Set has returned, nothing is admitted above the new value.
//
// # Failures
//
// A return of nil is a normal exit, and so is the error of the child's own context. Any other error, a panic, and
// runtime.Goexit are abnormal exits. By its [Restart] type a child is then run again, within an [Intensity], spaced by a
// [Backoff]. Past its budget a dynamic child is given up, and a declared one makes its supervisor fail: that one is
// restarted, or not, by its own supervisor.
//
// # Looking
//
// Tree, Counts and Children describe what runs, what was refused and why, at a cost that does not depend on the number of
// children. Events tells of restarts, refusals, stuck children and changed limits; a root writes them to log/slog by
// itself. Goroutines and Stack read the runtime's profile by the labels that children carry.
//
// # Inside a child
//
// [Ready] ends the wait of a start with AwaitReady. [Go] starts a goroutine that belongs to the child. [Charge] accounts
// memory. [Self] describes the child. [Async] and [Stream] run work with results.
package headcount
