package token_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount/cmd/headcount/internal/token"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTokenCarriesUserClassAndExpiry(t *testing.T) {
	expires := time.Unix(1_900_000_000, 0)
	signed, _, ok := strings.Cut(token.Make("0123456789abcdef", "alice", true, expires), ".")
	if !ok {
		t.Fatal("a token has two parts joined by a dot")
	}
	raw, err := base64.RawURLEncoding.DecodeString(signed)
	if err != nil {
		t.Fatalf("payload is not base64url: %v", err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got["u"] != "alice" || got["p"] != true || got["exp"] != float64(1_900_000_000) {
		t.Errorf("payload = %v, want alice, proven, expiring at 1900000000", got)
	}
}

func TestTokenIsSignedOverItsFirstPart(t *testing.T) {
	signed, mac, _ := strings.Cut(token.Make("0123456789abcdef", "bob", false, time.Unix(1, 0)), ".")
	got, err := base64.RawURLEncoding.DecodeString(mac)
	if err != nil {
		t.Fatal(err)
	}
	want := hmac.New(sha256.New, []byte("0123456789abcdef"))
	want.Write([]byte(signed))
	if !hmac.Equal(got, want.Sum(nil)) {
		t.Error("the second part is not the HMAC-SHA256 of the first under the secret")
	}
}

func TestAnotherSecretGivesAnotherSignature(t *testing.T) {
	at := time.Unix(1, 0)
	if token.Make("0123456789abcdef", "eve", false, at) == token.Make("fedcba9876543210", "eve", false, at) {
		t.Error("two secrets signed alike")
	}
}

func TestNewSecretIsLongAndFresh(t *testing.T) {
	a, b := token.NewSecret(), token.NewSecret()
	if len(a) != 64 || a == b {
		t.Errorf("NewSecret gave %q and %q, want two different secrets of 64 digits", a, b)
	}
}
