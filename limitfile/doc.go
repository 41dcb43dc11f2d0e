// Package limitfile keeps the limits of a running service in a YAML file, by path. [New] makes a child: declared in a tree,
// best as its first child, it sets the limits of that tree to what the file says, and again whenever the file changes.
//
//	# limits.yaml
//	myapp/users: {max_children: 50k, max_per_key: 8}
//	myapp/jobs:
//	  max_children:
//	    value: 64
//	    reason: the disk does not take more
//	    owner: storage team
//	    review: 2027-03-01
//	myapp/web/conns: {conns_per_prefix: 200} # a gate, by its name
//	"myapp/**": {max_children: 1000}         # all others
//
// # Values
//
// A value is a whole number, 50000 or 50_000, in thousands (50k) or in millions (2M): decimal, because children are
// counted, not bytes. The word unlimited stands for no limit; it is above the ceiling of every limit that has one in
// code. Instead of a value there can be a mapping:
//
//	value    the value
//	reason   why, in words
//	owner    who answers for it
//	review   the date at which somebody should look again: 2027-03-01, or a time as in RFC 3339
//	expires  the date from which on the entry counts as not being there
//
// A date without a time is its first instant in UTC.
//
// # Groups
//
// A path may be a pattern: * stands for any part of one name, ? for one character, [a-c] for one of these, ** for any
// number of whole names, also none. (YAML wants a path in quotes that begins with *.) A pattern gives a limit to the
// supervisors it matches that have this limit. Where several entries match, the most specific wins, limit by limit: a
// path without a pattern, then the one with fewer **, then the one with more whole names, then the one with more
// characters that are not part of a pattern. Two that are equally specific are an error.
//
// # All or nothing
//
// A file with anything wrong in it changes no limit: what it says is checked as a whole before the first limit is set.
// An unknown path, limit or field, a negative number, a limit above its ceiling, a duplicate, a pattern that matches
// nothing, an empty file ({} says that no limit is wanted): each is a [Problem] with its line, column and excerpt. The old
// limits stay; the log, [File.Status], an event ([headcount.LimitsRefused]), the metrics and an alert tell. Below a dynamic supervisor any path is allowed: supervisors come and go
// there, and get their limits within a second of their start; a path that a later one turns out not to fit is told.
//
// # Who wins
//
// The last writer. A limit that a person sets on the page stays so until the file changes, or is asked to be read again;
// then all that the file says is set. An entry that is taken out of the file, or has expired, gives the limit back the
// value that it has in code, with the source "code". When the child stops, limits stay as they are.
//
// # When it is read
//
// The file is looked at each second, through all symbolic links, so that the swap of a Kubernetes ConfigMap is seen. It
// is read when it has not changed for one more second, so that nobody's half-written file is taken for the whole, and at
// once on a value from Config.Reload.
package limitfile
