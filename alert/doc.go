// Package alert tells people what goes wrong in a tree of supervisors, from inside the process, for those without
// Prometheus. [New] makes a child: declared anywhere in a tree it looks at the whole of it once a second, keeps the
// [Rules], and tells its notifiers.
//
//	alerts := alert.New("alerts", alert.Config{
//		Notifiers: []alert.Notifier{
//			alert.Slog(slog.Default()),
//			alert.Webhook("https://example.org/hook", alert.HTTP{}),
//		},
//	})
//	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{}, alerts, users, jobs)
//
// # When an alert fires
//
// Each rule has a value for each place that it is about: a supervisor, or one limit of it. When the value has been at
// Fires or above for the time For, the alert fires and is told once. While it fires it is told again each Repeat only.
// When the value has been below Clears for the time KeepFor, it is resolved, and that is told once. A supervisor that is
// gone has no values: its alerts are resolved.
//
// # What a notifier can do to the service
//
// Each notifier has a goroutine and an outbox of its own, in which the newest state of each alert waits. One that is slow
// or dead delays no rule and no other notifier: its attempts have a deadline and are repeated with a growing wait,
// failures are counted in [Status], and a full outbox drops and counts. What waits when the child is stopped is tried once more.
//
// # What is bounded
//
// The supervisors watched (Config.MaxSupervisors; about 3 KB each), the outboxes (1024 alerts each), the alerts in one
// message (64), and the texts. A tree with more supervisors is an alert of its own, HeadcountNotAllShown.
package alert
