package auth

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "a secret of the tests"

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func setup(t testing.TB) *Signer {
	t.Helper()
	s, err := NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *Signer) mustSign(t testing.TB, c Claims) string {
	t.Helper()
	token, err := s.Sign(c)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestSignedTokenTellsItsClaims(t *testing.T) {
	s := setup(t)
	want := Claims{User: "ada.l_1-x", Proven: true, Expires: now.Add(time.Hour)}
	got, err := s.Verify(s.mustSign(t, want), now)
	if err != nil {
		t.Fatal(err)
	}
	if got.User != want.User || !got.Proven || !got.Expires.Equal(want.Expires) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestTokenEndsAtItsExpiry(t *testing.T) {
	s := setup(t)
	token := s.mustSign(t, Claims{User: "ada", Expires: now})
	if _, err := s.Verify(token, now.Add(-time.Second)); err != nil {
		t.Errorf("a second before: %v", err)
	}
	if _, err := s.Verify(token, now); !errors.Is(err, ErrExpired) {
		t.Errorf("at the expiry: %v, want ErrExpired", err)
	}
}

func TestTokenIsVerifiedOnceWhileItIsRemembered(t *testing.T) {
	s := setup(t)
	token := s.mustSign(t, Claims{User: "ada", Proven: true, Expires: now.Add(time.Hour)})
	if _, known := s.recent.find(token); known {
		t.Error("a token is known that was never shown")
	}
	first, err := s.Verify(token, now)
	if err != nil {
		t.Fatal(err)
	}
	if c, known := s.recent.find(token); !known || c != first {
		t.Errorf("remembered is %+v, %v; want %+v", c, known, first)
	}
	allocs := testing.AllocsPerRun(100, func() {
		if again, err := s.Verify(token, now); err != nil || again != first {
			t.Errorf("the second time: %+v, %v", again, err)
		}
	})
	if allocs != 0 {
		t.Errorf("a token that is remembered costs %v allocations", allocs)
	}
	if _, err := s.Verify(token, now.Add(2*time.Hour)); !errors.Is(err, ErrExpired) {
		t.Errorf("remembered and expired: %v, want ErrExpired", err)
	}
	bad := token[:len(token)-1] + "A"
	if bad == token {
		bad = token[:len(token)-1] + "E"
	}
	if _, err := s.Verify(bad, now); err == nil {
		t.Error("a changed token is taken for the one that is remembered")
	}
	if _, known := s.recent.find(bad); known {
		t.Error("a bad token is remembered")
	}
}

func TestBadTokensAreNamed(t *testing.T) {
	s := setup(t)
	good := s.mustSign(t, Claims{User: "ada", Expires: now.Add(time.Hour)})
	signed, sum, _ := strings.Cut(good, ".")
	sign := func(payload string) string {
		part := strict.EncodeToString([]byte(payload))
		return part + "." + strict.EncodeToString(s.mac(part))
	}
	other, err := NewSigner("another secret of the tests")
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		token string
		want  error
	}{
		"empty":                 {"", ErrMissing},
		"no dot":                {signed, ErrMalformed},
		"not base64":            {signed + ".!", ErrMalformed},
		"too long":              {strings.Repeat("a", maxToken) + "." + sum, ErrMalformed},
		"other secret":          {other.mustSign(t, Claims{User: "ada", Expires: now.Add(time.Hour)}), ErrSignature},
		"changed payload":       {"e30." + sum, ErrSignature},
		"cut signature":         {good[:len(good)-4], ErrSignature},
		"unknown field":         {sign(`{"u":"ada","p":false,"exp":99999999999,"admin":true}`), ErrMalformed},
		"two values":            {sign(`{"u":"ada","exp":99999999999}{}`), ErrMalformed},
		"not a name":            {sign(`{"u":"a/b","p":false,"exp":99999999999}`), ErrMalformed},
		"no expiry":             {sign(`{"u":"ada","p":true}`), ErrExpired},
		"expiry not a number":   {sign(`{"u":"ada","exp":"never"}`), ErrMalformed},
		"signed, but no base64": {"!!!." + strict.EncodeToString(s.mac("!!!")), ErrMalformed},
	} {
		if _, err := s.Verify(row.token, now); !errors.Is(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}
}

func TestSignerRefusesShortSecretAndBadName(t *testing.T) {
	if _, err := NewSigner("fifteen bytes.."); err == nil {
		t.Error("a secret of 15 bytes was taken")
	}
	for _, user := range []string{"", "a b", "a/b", "ä", strings.Repeat("a", 65)} {
		if _, err := setup(t).Sign(Claims{User: user}); err == nil {
			t.Errorf("user %q was taken", user)
		}
	}
}

// FuzzVerify looks for a token that panics, and for one that is accepted but is not what Sign makes of its claims.
func FuzzVerify(f *testing.F) {
	s := setup(f)
	good := s.mustSign(f, Claims{User: "ada", Proven: true, Expires: now.Add(time.Hour)})
	for _, seed := range []string{"", ".", "..", good, good + "A", good[:len(good)-1], "e30.e30", strings.Replace(good, ".", "=.", 1), good[:60] + "\r" + good[60:]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		claims, err := s.Verify(token, now)
		if err != nil {
			var p *Problem
			if !errors.As(err, &p) || p.Reason == "" {
				t.Fatalf("an error without a reason: %v", err)
			}
			return
		}
		if again := s.mustSign(t, claims); again != token {
			t.Errorf("accepted %q, which Sign would have made %q", token, again)
		}
	})
}

// FuzzPayload signs whatever it is given, so that the parser behind the signature is reached.
func FuzzPayload(f *testing.F) {
	s := setup(f)
	for _, seed := range []string{`{"u":"ada","p":true,"exp":99999999999}`, `{}`, `null`, `[]`, `{"u":"` + strings.Repeat("a", 80) + `"}`, `{"exp":-1e99}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		part := strict.EncodeToString(payload)
		claims, err := s.Verify(part+"."+strict.EncodeToString(s.mac(part)), now)
		if err == nil && (!ValidUser(claims.User) || !claims.Expires.After(now)) {
			t.Errorf("%q was accepted as %+v", payload, claims)
		}
	})
}
