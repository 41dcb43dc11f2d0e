package headcount

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math/bits"
	"reflect"
	"runtime/debug"
	"sync/atomic"
)

// A KeyedSupervisor is a [DynamicSupervisor] whose children belong to keys, with a limit for all of them and one for
// each key: a user, an account, an address prefix. Both are exact. Children are started at a key: users.At(id).Go.
//
// When the supervisor fills up, what a key may hold shrinks: to what is still free (or the multiple of it that
// [KeyShare] says), so that no key can take all that is left. A key without a child needs only one free slot. The
// method is that of dynamic queue thresholds (Choudhury and Hahne, 1998).
//
// A refusal because of the key, [ErrMaxPerKey], never waits. There is state only for keys that hold a child.
type KeyedSupervisor[K comparable] struct {
	dynamic
	keys      keyTable[K]
	perKey    *Limit
	perKeyNow atomic.Int64 // in force; read under the lock of the key's shard
	perKeyOf  func(key K, base int) int
	nameOf    func(key K) string
	secret    []byte
	careful   bool // K has values that cannot be compared, or do not equal themselves
	plainKey  bool // printing a key calls no method of it
	keyFull   atomic.Pointer[keyRefusals]
}

// NewKeyedSupervisor makes a supervisor with a limit for all children and one for each key. Nothing runs until it is
// started. What is wrong with the name or the options is told by [Check] and by the start.
func NewKeyedSupervisor[K comparable](name string, limit ChildLimit, perKey KeyLimit, opts ...Option) *KeyedSupervisor[K] {
	k := &KeyedSupervisor[K]{}
	o := readOptions(opts)
	k.keys.init()
	k.careful = !strictlyComparable(reflect.TypeFor[K]())
	k.plainKey = plain(reflect.TypeFor[K]())
	k.init(name, KeyedKind, limit, o)
	k.body, k.self = k, k
	if f, ok := o.perKey.(func(K, int) int); ok {
		k.perKeyOf = f
	} else if o.perKey != nil {
		k.problem("MaxPerKeyFunc", fmt.Sprintf("%T", o.perKey), fmt.Sprintf("is not for keys of type %T", *new(K)))
	}
	if f, ok := o.keyName.(func(K) string); ok {
		k.nameOf = f
	} else if o.keyName != nil {
		k.problem("KeyName", fmt.Sprintf("%T", o.keyName), fmt.Sprintf("is not for keys of type %T", *new(K)))
	}
	if o.secretKeys {
		k.secret = make([]byte, 32)
		rand.Read(k.secret) // never fails
	}
	spec := perKey.spec
	if p := spec.problem(); p != "" {
		k.problem(ReasonMaxPerKey.String(), spec.value, p)
		spec.value = 0
	}
	k.keyFull.Store(&keyRefusals{})
	k.perKey = newLimit(ReasonMaxPerKey.String(), spec, &k.node, func(inForce int) func() {
		k.perKeyNow.Store(int64(inForce))
		k.keyFull.Store(&keyRefusals{})
		// A start that has read the value before is over once its shard has been locked: then the new one is in force.
		k.keys.eachShard(func(s *keyShard[K]) {})
		return nil
	})
	return k
}

// strictlyComparable reports whether comparing values of the type cannot panic, and each equals itself.
func strictlyComparable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Interface, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return false
	case reflect.Array:
		return strictlyComparable(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if !strictlyComparable(f.Type) {
				return false
			}
		}
	}
	return true
}

// plain reports whether values of the type are printed without calling a method of theirs.
func plain(t reflect.Type) bool {
	switch kind := t.Kind(); {
	case t.NumMethod() > 0:
		return false
	case kind == reflect.Array:
		return plain(t.Elem())
	default:
		return kind <= reflect.Complex128 || kind == reflect.String
	}
}

// MaxPerKey gives the limit of each key.
func (k *KeyedSupervisor[K]) MaxPerKey() *Limit { return k.perKey }

// At gives the part of the supervisor that belongs to the key. It costs nothing and holds nothing.
func (k *KeyedSupervisor[K]) At(key K) Keyed[K] { return Keyed[K]{k, key} }

// shown is how a key is shown: never raw.
func (k *KeyedSupervisor[K]) shown(key K) string {
	switch {
	case k.secret != nil:
		mac := hmac.New(sha256.New, k.secret)
		io.WriteString(mac, k.text(func() string { return fmt.Sprintf("%#v", key) }))
		return hex.EncodeToString(mac.Sum(nil)[:8])
	case k.nameOf != nil:
		return shownKey(askedApart(func() string { return k.nameOf(key) }))
	}
	return shownKey(k.text(func() string { return fmt.Sprint(key) }))
}

// text is what print makes of a key: apart, if that calls methods of the key.
func (k *KeyedSupervisor[K]) text(print func() string) string {
	if k.plainKey {
		return print()
	}
	return askedApart(print)
}

// askedApart asks the user's code for a key's name, on a goroutine of its own: the supervisor asks too, when it tells of
// a child, and must survive whatever that code does.
func askedApart(nameOf func() string) string {
	name := make(chan string, 1)
	go func() {
		n := "(no name)"
		defer func() {
			_ = recover()
			name <- n
		}()
		n = nameOf()
	}()
	return <-name
}

// mostOf asks the user's function what the key may hold: on the caller's goroutine, before anything is taken.
func (k *KeyedSupervisor[K]) mostOf(key K, base int) (most int, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%s: MaxPerKeyFunc: %w", k.Path(), &PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	return max(k.perKeyOf(key, base), 0), nil
}

// checkKey finds what is wrong with a key whose type allows for such.
func (k *KeyedSupervisor[K]) checkKey(key K) error {
	if boxed := key; !reflect.ValueOf(&boxed).Elem().Comparable() { // an interface can hold a slice
		return k.badStart("key", fmt.Sprintf("%T", key), "is of a type that cannot be compared")
	}
	if same := key; same != key { // NaN: it would never be found again
		return k.badStart("key", key, "does not equal itself")
	}
	return nil
}

// admit takes the slots of one start at the key, waiting for them if that is allowed here.
func (k *KeyedSupervisor[K]) admit(ctx context.Context, key K, class Class, roomy bool) (*keyEntry[K], error) {
	if k.careful {
		if err := k.checkKey(key); err != nil {
			return nil, err
		}
	}
	for {
		base := int(k.perKeyNow.Load())
		most := base
		if k.perKeyOf != nil {
			var err error
			if most, err = k.mostOf(key, base); err != nil {
				return nil, err
			}
		}
		e, a := k.take(key, class, most, base, false)
		if a.serve {
			k.serve()
		}
		switch {
		case a.verdict == admitted:
			return e, nil
		case a.verdict == keyFull:
			return nil, k.refuse(a.perKey)
		case a.verdict == stale:
			continue
		case a.verdict == closed, !roomy && k.queue.length == 0 && a.verdict != mustQueue:
			return nil, k.refusal(a)
		case !k.mayHold(k.At(key).Count(), most, k.own.word.Load()): // what the key's own limit says does not wait
			return nil, k.refuse(k.perKeyRefusal(most))
		case !roomy && k.queue.refuses(class):
			return nil, k.refuse(k.own.refusals.Load().queueFull)
		}
		claim := &keyClaim[K]{sup: k, at: key, class: class, most: most, base: base}
		err := k.queue.admit(ctx, &waiter{class: class, roomy: roomy, claim: claim}, a)
		if err == errStale {
			continue
		}
		return claim.entry, err
	}
}

// take tries to take the key's slot, the supervisor's and those above. The key's count and the supervisor's word are
// decided together: the slot is taken only from the very word that the allowance was computed from.
func (k *KeyedSupervisor[K]) take(key K, class Class, most, base int, pass bool) (*keyEntry[K], admission) {
	share := k.share(class)
	if v := judge(k.own.word.Load(), share, pass); v != admitted {
		return nil, admission{verdict: v, blocked: &k.own}
	}
	chain := k.place.Load().chain
	if b := chain.blocked(); b != nil {
		return nil, admission{verdict: full, blocked: b}
	}

	hash := k.keys.hash(key)
	s := k.keys.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := int(k.perKeyNow.Load()); now != base {
		if k.perKeyOf != nil {
			return nil, admission{verdict: stale}
		}
		most = now
	}
	e := s.index.find(hash, key)
	held := 0
	if e != nil {
		held = e.held
	}
	for {
		w := k.own.word.Load()
		if v := judge(w, share, pass); v != admitted {
			return nil, admission{verdict: v, blocked: &k.own}
		}
		if !k.mayHold(held, most, w) {
			return nil, admission{verdict: keyFull, perKey: k.perKeyRefusal(most)}
		}
		gap(beforeOwn)
		if k.own.takeFrom(w) {
			break
		}
	}
	blocked, serve := chain.take()
	if blocked != nil {
		return nil, admission{verdict: full, blocked: blocked, serve: k.giveBackOwn() || serve}
	}
	if e == nil {
		e = s.addLocked(k, key, hash)
	}
	e.held++
	return e, admission{serve: serve}
}

// mayHold reports whether a key that holds some may hold one more, given the supervisor's word.
func (k *KeyedSupervisor[K]) mayHold(held, most int, w uint64) bool {
	if held >= most {
		return false
	}
	limit := limitOf(w)
	return held == 0 || limit == Unlimited || float64(held) < k.opts.keyShare*float64(limit-countOf(w))
}

// keyRefusals are made beforehand, for the limits that keys have.
type keyRefusals struct {
	place   *place
	last    *Refusal // the one most asked for, where all keys have the same limit
	byLimit map[int]*Refusal
}

// The refusals made beforehand for the limits that a function gives: so many as they are, those beyond rounded.
const (
	maxKeyRefusals     = 64
	maxRoundedRefusals = 256 // there are fewer numbers up to Unlimited with four digits in binary
)

// perKeyRefusal is the refusal of a key that may hold most. Where a function gives more than 64 different limits, those
// beyond are rounded down, by an eighth at the most: a refusal costs no allocation, and what is kept is bounded.
func (k *KeyedSupervisor[K]) perKeyRefusal(most int) *Refusal {
	made := k.keyFull.Load()
	if place := k.place.Load(); made.place != place {
		made = &keyRefusals{place: place}
	} else if made.last.Limit == most {
		return made.last
	} else if r := made.byLimit[most]; r != nil {
		return r
	} else if len(made.byLimit) >= maxKeyRefusals {
		most = roundedDown(most)
		if r := made.byLimit[most]; r != nil {
			return r
		}
	}
	r := &Refusal{Path: made.place.path, Reason: ReasonMaxPerKey, Limit: most}
	more := &keyRefusals{place: made.place, last: r, byLimit: map[int]*Refusal{most: r}}
	maps.Copy(more.byLimit, made.byLimit)
	k.keyFull.Store(more)
	return r
}

// roundedDown keeps the first four binary digits of n.
func roundedDown(n int) int {
	if digits := bits.Len(uint(n)); digits > 4 && n != Unlimited {
		return n >> (digits - 4) << (digits - 4)
	}
	return n
}

// A keyClaim is the claim of a start at a key.
type keyClaim[K comparable] struct {
	sup        *KeyedSupervisor[K]
	at         K
	class      Class
	most, base int
	entry      *keyEntry[K] // once taken
}

func (c *keyClaim[K]) take(pass bool) (a admission) {
	c.entry, a = c.sup.take(c.at, c.class, c.most, c.base, pass)
	return a
}

func (c *keyClaim[K]) key() (key any, most int) { return c.at, c.most }
func (c *keyClaim[K]) perKey() *Refusal         { return c.sup.perKeyRefusal(c.most) }

func (c *keyClaim[K]) stale() bool {
	return c.sup.perKeyOf != nil && int(c.sup.perKeyNow.Load()) != c.base
}

func (c *keyClaim[K]) renew() (replace func(), err error) {
	k := c.sup
	base := int(k.perKeyNow.Load())
	most, err := k.mostOf(c.at, base)
	if err == nil && !k.mayHold(k.At(c.at).Count(), most, k.own.word.Load()) { // what the key's own limit says does not wait
		err = k.refuse(k.perKeyRefusal(most))
	}
	return func() { c.most, c.base = most, base }, err
}

func (k *KeyedSupervisor[K]) describe(t *TreeNode) {
	k.dynamic.describe(t)
	t.Limits = append(t.Limits, k.perKey.Snapshot())
}
