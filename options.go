package headcount

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// A ChildLimit is the limit of the children of one supervisor, made by [MaxChildren].
type ChildLimit struct{ spec limitSpec }

// MaxChildren limits the children that a supervisor holds at once, restarting and stuck ones included. Zero admits
// none; [Unlimited] any number.
func MaxChildren(n int, opts ...LimitOption) ChildLimit { return ChildLimit{newLimitSpec(n, opts)} }

// A KeyLimit is the limit of the children of one key, made by [MaxPerKey].
type KeyLimit struct{ spec limitSpec }

// MaxPerKey limits the children that one key holds at once. See [KeyedSupervisor] for what a key may hold when the
// supervisor fills up.
func MaxPerKey(n int, opts ...LimitOption) KeyLimit { return KeyLimit{newLimitSpec(n, opts)} }

// A DescendantLimit is the limit of a whole subtree, made by [MaxDescendants]. It is an option of dynamic supervisors
// and a field of [SupervisorConfig]; the zero value is no such limit.
type DescendantLimit struct{ spec limitSpec }

// MaxDescendants limits all children below a supervisor together, at any depth, supervisors and goroutines started by
// [Go] included.
func MaxDescendants(n int, opts ...LimitOption) DescendantLimit {
	return DescendantLimit{newLimitSpec(n, opts)}
}

func (l DescendantLimit) apply(o *options) { o.descendants = l.spec }

// An Option configures a dynamic or keyed supervisor.
type Option interface{ apply(*options) }

type optionFunc func(*options)

func (f optionFunc) apply(o *options) { f(o) }

// options are what a dynamic or keyed supervisor is configured with.
type options struct {
	queueLength int
	queueWithin time.Duration
	codel       *codel
	shares      []float64
	keyShare    float64
	perKey      any // func(K, int) int
	keyName     any // func(K) string
	secretKeys  bool
	intensity   Intensity
	escalate    bool
	common      Intensity
	backoff     Backoff
	shutdown    time.Duration
	reserve     int
	maxBytes    int64
	around      AroundFunc
	untimed     bool
	logger      *slog.Logger
	descendants limitSpec
	gates       []*Gate
	problems    []ConfigError
}

func (o *options) problem(field string, value any, problem string) {
	o.problems = append(o.problems, ConfigError{Field: field, Value: value, Problem: problem})
}

// maxQueue bounds the queue of a supervisor.
const maxQueue = 1 << 20

// Wait lets up to n starts wait for a slot, each for at most d, instead of being refused at once. n is at most
// 1,048,576; with n zero starts do not wait. [CoDel] shortens d under overload.
func Wait(n int, d time.Duration) Option {
	return optionFunc(func(o *options) {
		if n < 0 || n > maxQueue {
			o.problem("Wait.n", n, fmt.Sprintf("is not between 0 and %d", maxQueue))
		}
		if n > 0 && d <= 0 {
			o.problem("Wait.d", d, "is not above zero")
		}
		o.queueLength, o.queueWithin = n, d
	})
}

// Classes gives each priority class, from class 0 upwards in importance, the share of the limit that it may fill, and
// of the queue. Shares rise, the last one is 1. Classes(0.8, 1) keeps a fifth of the room for class 1. A share is
// rounded up: of a limit of 4, a share of 0.8 is all. A start that does not say is of class 0.
func Classes(shares ...float64) Option {
	return optionFunc(func(o *options) {
		last := 0.0
		for i, s := range shares {
			if !(s > 0 && s <= 1) || s < last {
				o.problem(fmt.Sprintf("Classes[%d]", i), s, "is not a share: they are above 0, at most 1, and do not fall")
			}
			last = s
		}
		if last != 1 || len(shares) > 256 {
			o.problem("Classes", shares, "must have 1 to 256 shares of which the last is 1")
		}
		o.shares = shares
	})
}

// KeyShare bounds what one key may hold to a times what is still free, beside MaxPerKey. The default is 1.
func KeyShare(a float64) Option {
	return optionFunc(func(o *options) {
		if !(a > 0) {
			o.problem("KeyShare", a, "is not above zero")
		}
		o.keyShare = a
	})
}

// MaxPerKeyFunc makes the limit of a key a function of the key; base is the MaxPerKey in force. It is called before
// each start, on the caller's goroutine, under no lock, and again for each start that waits when MaxPerKey changes. A
// negative value counts as zero. Where it gives more than 64 different limits, the [Refusal] of those beyond may tell a
// limit that is rounded down, by an eighth at the most.
func MaxPerKeyFunc[K comparable](f func(key K, base int) int) Option {
	return optionFunc(func(o *options) { o.perKey = f })
}

// KeyName gives keys the names under which they are shown. Without it a key is shown as text, quoted where necessary.
// Names are cut at 64 bytes.
func KeyName[K comparable](f func(key K) string) Option {
	return optionFunc(func(o *options) { o.keyName = f })
}

// SecretKeys shows keys as a keyed hash, which is the same for the same key while the process lives.
func SecretKeys() Option { return optionFunc(func(o *options) { o.secretKeys = true }) }

// RestartIntensity gives each child its budget: n restarts within the period. Past it that child is given up. The
// default is 3 within 5 s.
func RestartIntensity(n int, within time.Duration) Option {
	return optionFunc(func(o *options) { o.intensity = Intensity{Restarts: n, Within: within} })
}

// Escalate gives all children one common budget, as OTP does: past it the supervisor stops them all and fails.
func Escalate(n int, within time.Duration) Option {
	return optionFunc(func(o *options) { o.escalate, o.common = true, Intensity{Restarts: n, Within: within} })
}

// WithBackoff spaces the restarts of a child.
func WithBackoff(b Backoff) Option { return optionFunc(func(o *options) { o.backoff = b }) }

// ShutdownWithin is the allowance of children that do not have their own. The default is 5 s.
func ShutdownWithin(d time.Duration) Option { return optionFunc(func(o *options) { o.shutdown = d }) }

// Reserve keeps n slots of every limit above for this supervisor's subtree alone. There is none above a root: starting it
// as one is a [ConfigError].
func Reserve(n int) Option { return optionFunc(func(o *options) { o.reserve = n }) }

// MaxBytes is the budget of all children together for [Charge].
func MaxBytes(n int64) Option {
	return optionFunc(func(o *options) {
		if n <= 0 {
			o.problem("MaxBytes", n, "is not above zero")
		}
		o.maxBytes = n
	})
}

// Around wraps each run of a child.
func Around(f AroundFunc) Option { return optionFunc(func(o *options) { o.around = f }) }

// WithoutHistograms saves readings of the clock: where children come fast none of them reads it, and else each once.
// Lifetimes are then not known.
func WithoutHistograms() Option { return optionFunc(func(o *options) { o.untimed = true }) }

// WithLogger is where events are logged if the supervisor is a root. The default is slog.Default().
func WithLogger(l *slog.Logger) Option { return optionFunc(func(o *options) { o.logger = l }) }

// A StartOption qualifies one start by Go, Do or Async. For more, start a [ChildSpec].
type StartOption struct {
	kind  startOptionKind
	n     int64
	value any
}

type startOptionKind uint8

const (
	optionNone startOptionKind = iota
	optionClass
	optionRestart
	optionName
	optionValues
	optionLifetime
	optionRoomy
)

// InClass makes the start one of the class; see [Classes].
func InClass(c Class) StartOption { return StartOption{kind: optionClass, n: int64(c)} }

// WithRestart has the child restarted. Not for Do.
func WithRestart(r Restart) StartOption { return StartOption{kind: optionRestart, n: int64(r)} }

// Named gives the child a name to be shown.
func Named(name string) StartOption { return StartOption{kind: optionName, value: name} }

// WithValues makes ctx the place where the child's context looks up values. It gives no cancellation.
func WithValues(ctx context.Context) StartOption { return StartOption{kind: optionValues, value: ctx} }

// WithLifetime ends the child's context after d.
func WithLifetime(d time.Duration) StartOption { return StartOption{kind: optionLifetime, n: int64(d)} }

// waitForRoom lets the start wait without a bound, outside the length of the queue. Stream uses it: there is one such
// start for each goroutine that reads a stream.
func waitForRoom() StartOption { return StartOption{kind: optionRoomy} }
