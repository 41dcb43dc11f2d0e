// Package audit reviews Go, Elixir and Erlang code for supervisors, goroutines and listeners without a limit.
//
// [Run] finds the code bases below the paths it is given: Go modules by go.mod, Elixir and Erlang projects by mix.exs and rebar.config. Each is
// reviewed as a whole, because what an outsider can reach shows only in the whole; what is told is what lies below the paths. Nothing of the
// code under review is run.
//
// A finding is answered for by a comment beside it that gives a reason, or by a baseline. What could not be read is named in the report and
// is never taken for clean.
//
//go:generate go test -run ^TestTheDocumentOfTheRulesIsCurrent$ . -update
package audit
