// Package observe shows a tree of supervisors while it runs, and lets people change it: a page for browsers and a JSON
// API with the same powers. It imports the standard library only.
//
//	page := observe.New("page", "127.0.0.1:7070", app)
//	if err := page.Supervisor().Start(ctx); err != nil {
//		return err
//	}
//	os.Exit(headcount.Main(ctx, app, headcount.MainConfig{}))
//
// Started by itself like this, it is a tree of its own, on a port of its own, outside all limits of the service: it
// answers during an attack, and while the service starts and stops. It can be a child of any supervisor too. [NewHandler]
// makes the same without a port, to be mounted in a server that there is already.
//
// # What it looks like
//
// The page is at the root of the handler, the API below api/v1/, described by api/v1/openapi.json (OpenAPI 3.1), with
// errors as problem details (RFC 9457). The stream api/v1/events sends a snapshot and then what has changed, once in a
// second. Links are relative, so any prefix will do.
//
// # Safety
//
// It is read-only unless [AllowChanges] is given. On an address that others can reach, changes need authentication: a
// [Token], client certificates by [TLS], or the program's own [Identify]; without it the start fails with a
// [headcount.ConfigError] before anything listens. Once there is authentication, reading needs it too. On a loopback
// address without authentication only requests to a loopback name are answered, so that no web site can reach it through
// its visitors' browsers by a name of its own. Changes from other origins are refused.
//
// Each change is kept in the audit log with who, when, from, to and why. The log is kept in memory and is bounded, as all
// else here is: viewers, requests, sizes, events, and the hour of history of up to 2,000 supervisors.
package observe
