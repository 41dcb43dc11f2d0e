// Package auth makes and checks the bearer tokens of myapp.
//
// A token is base64url(payload) + "." + base64url(HMAC-SHA256(secret, first part)), both without padding. The payload is
// the JSON object {"u": user, "p": proven, "exp": unix seconds}.
package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

const (
	// MinSecret is the least number of bytes of a secret.
	MinSecret = 16
	// maxToken bounds what is looked at before anything is known about the sender. The longest token that Sign makes is
	// well below it.
	maxToken = 512
	maxUser  = 64
)

// Claims is what a token says about who shows it.
type Claims struct {
	User    string
	Proven  bool // in the class that may use the headroom which new users leave free
	Expires time.Time
}

// payload is the signed form of Claims.
type payload struct {
	User    string `json:"u"`
	Proven  bool   `json:"p"`
	Expires int64  `json:"exp"`
}

// A Problem says why a token is not accepted. Reason is a word for programs.
type Problem struct{ Reason, text string }

func (p *Problem) Error() string { return p.text }

// The problems that Verify returns, to be compared with errors.Is.
var (
	ErrMissing   = &Problem{"missing_token", "a bearer token is required"}
	ErrMalformed = &Problem{"malformed_token", "the token is malformed"}
	ErrSignature = &Problem{"bad_signature", "the token is not signed by this service"}
	ErrExpired   = &Problem{"expired_token", "the token has expired"}
)

// strict refuses encodings with stray bits, so that one token has one spelling.
var strict = base64.RawURLEncoding.Strict()

// Signer makes and checks tokens with one secret. It is safe for concurrent use.
type Signer struct {
	secret []byte
	recent recent
}

// NewSigner returns a signer. The secret is used as it is, at least MinSecret bytes.
func NewSigner(secret string) (*Signer, error) {
	if len(secret) < MinSecret {
		return nil, fmt.Errorf("the secret has %d bytes, at least %d are needed", len(secret), MinSecret)
	}
	return &Signer{secret: []byte(secret), recent: newRecent()}, nil
}

// Sign returns the token for c. It fails if the user's name is not one.
func (s *Signer) Sign(c Claims) (string, error) {
	if !ValidUser(c.User) {
		return "", fmt.Errorf("user %q: a name is 1 to %d of the characters A-Z a-z 0-9 . _ -", c.User, maxUser)
	}
	raw, err := json.Marshal(payload{User: c.User, Proven: c.Proven, Expires: c.Expires.Unix()})
	if err != nil {
		return "", err
	}
	signed := strict.EncodeToString(raw)
	return signed + "." + strict.EncodeToString(s.mac(signed)), nil
}

// Verify returns what the token says, or one of ErrMissing, ErrMalformed, ErrSignature and ErrExpired. Nothing of a
// token is interpreted before its signature is known to be good.
func (s *Signer) Verify(token string, now time.Time) (Claims, error) {
	if token == "" {
		return Claims{}, ErrMissing
	}
	signed, sum, found := strings.Cut(token, ".")
	// The base64 decoder overlooks line breaks; a token has one spelling.
	if !found || len(token) > maxToken || strings.ContainsAny(token, "\r\n") {
		return Claims{}, ErrMalformed
	}
	c, known := s.recent.find(token)
	if !known {
		var err error
		if c, err = s.read(signed, sum); err != nil {
			return Claims{}, err
		}
		s.recent.remember(token, c)
	}
	if now.Unix() >= c.Expires.Unix() {
		return Claims{}, ErrExpired
	}
	return c, nil
}

// read checks the signature, and then what was signed.
func (s *Signer) read(signed, sum string) (Claims, error) {
	mac, err := strict.DecodeString(sum)
	if err != nil {
		return Claims{}, ErrMalformed
	}
	if !hmac.Equal(mac, s.mac(signed)) { // constant time: the comparison must not tell how much of a guess was right
		return Claims{}, ErrSignature
	}
	raw, err := strict.DecodeString(signed)
	if err != nil {
		return Claims{}, ErrMalformed
	}
	var p payload
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil || !ValidUser(p.User) {
		return Claims{}, ErrMalformed
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Claims{}, ErrMalformed
	}
	return Claims{User: p.User, Proven: p.Proven, Expires: time.Unix(p.Expires, 0)}, nil
}

func (s *Signer) mac(signed string) []byte {
	h := hmac.New(sha256.New, s.secret)
	io.WriteString(h, signed)
	return h.Sum(nil)
}

// ValidUser reports whether name may be a user's: 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-'.
func ValidUser(name string) bool {
	if name == "" || len(name) > maxUser {
		return false
	}
	for _, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
