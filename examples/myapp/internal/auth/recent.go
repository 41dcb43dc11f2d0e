package auth

import (
	"crypto/subtle"
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// recent remembers tokens that were found good, so that one which comes with each request of a connection, and is asked
// about more than once in each, is verified once. It has a fixed number of places, one for each token to be in: only who
// has good tokens can push others out, and they are then verified again.
type recent struct {
	seed   maphash.Seed // nobody outside can choose tokens that share a place
	places *[1 << 12]atomic.Pointer[good]
}

// good is a token with a good signature. It may have expired.
type good struct {
	token  string
	claims Claims
}

func newRecent() recent {
	return recent{seed: maphash.MakeSeed(), places: new([1 << 12]atomic.Pointer[good])}
}

func (r recent) place(token string) *atomic.Pointer[good] {
	return &r.places[maphash.String(r.seed, token)%uint64(len(r.places))]
}

func (r recent) find(token string) (Claims, bool) {
	g := r.place(token).Load()
	// Constant time: the comparison must not tell how much of a guess was right.
	if g == nil || subtle.ConstantTimeCompare([]byte(g.token), []byte(token)) == 0 {
		return Claims{}, false
	}
	return g.claims, true
}

// remember keeps a copy: the token is a piece of a header that may be much longer.
func (r recent) remember(token string, c Claims) {
	r.place(token).Store(&good{strings.Clone(token), c})
}
