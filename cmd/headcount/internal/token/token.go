// Package token makes the bearer tokens of the example application.
//
// The demo plays the sign-up desk: it knows the secret of the app that it started, so it can hand a valid token to
// anybody, honest or not. The format is written here a second time on purpose. The demo meets the app as a stranger
// does, over the wire, and a change of the app's format that its clients would notice is noticed here too.
package token

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"time"
)

// payload is the signed part. The short names are those of the app.
type payload struct {
	User    string `json:"u"`
	Proven  bool   `json:"p"`
	Expires int64  `json:"exp"`
}

// Make returns a token for user, signed with secret and good until expires. A proven user is in the class that may use
// the headroom kept free above new users.
func Make(secret, user string, proven bool, expires time.Time) string {
	// A struct of a string, a bool and a number always marshals.
	raw, _ := json.Marshal(payload{User: user, Proven: proven, Expires: expires.Unix()})
	signed := base64.RawURLEncoding.EncodeToString(raw)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// NewSecret returns a fresh secret of 32 random bytes in hexadecimal.
func NewSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails, by its documentation
	return hex.EncodeToString(b[:])
}
