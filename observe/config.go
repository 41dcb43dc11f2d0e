package observe

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/internal/plain"
)

// An Option configures a page.
type Option func(*config)

// AllowChanges lets those who use the page and the API change limits and terminate children. Without it both are
// read-only.
func AllowChanges() Option { return func(c *config) { c.changes = true } }

// Token lets in who has the secret: as a bearer token, or as the password that a browser asks for, with any user name. By
// is who they are, in limits and in the audit log. It may be given more than once. The secret must have 16 bytes or more;
// it is kept as a hash and compared in constant time. Where others can listen to the connection, use [TLS] too.
func Token(by, secret string) Option {
	return func(c *config) {
		switch {
		case !isName(by):
			c.problem("Token", by, "is not a name of 1 to 100 printable characters")
		case len(secret) < minSecret:
			c.problem("Token", by, fmt.Sprintf("has a secret of less than %d bytes", minSecret))
		}
		c.tokens = append(c.tokens, token{by, sha256.Sum256([]byte(secret))})
	}
}

const minSecret = 16

// TLS has the page speak TLS by this configuration. With a ClientAuth of [tls.RequireAndVerifyClientCert] or
// [tls.VerifyClientCertIfGiven] a client is let in by its certificate, and is known by the certificate's common name, or
// else its first URI, DNS name or e-mail address. It is for a page with an address of its own.
func TLS(cfg *tls.Config) Option { return func(c *config) { c.tls = cfg; c.tlsGiven = true } }

// Identify lets the program say who a request is from, by a session or by what a proxy has put into a header. It is asked
// where no token and no certificate has; ok false means nobody who may come in. It must be safe for many goroutines.
func Identify(f func(r *http.Request) (by string, ok bool)) Option {
	return func(c *config) {
		if f == nil {
			c.problem("Identify", nil, "is nil")
		}
		c.identifier = f
	}
}

// Viewers is how many may follow the stream of events at once. The default is 16.
func Viewers(n int) Option {
	return func(c *config) {
		if n < 1 || n > 1000 {
			c.problem("Viewers", n, "is not between 1 and 1,000")
			return
		}
		c.viewers = n
	}
}

// Logger is where the page logs. The default is [slog.Default].
func Logger(l *slog.Logger) Option {
	return func(c *config) {
		if l == nil {
			c.problem("Logger", nil, "is nil")
			return
		}
		c.logger = l
	}
}

type config struct {
	addr       *string // nil for a handler that is mounted
	changes    bool
	tokens     []token
	tls        *tls.Config
	tlsGiven   bool
	identifier func(*http.Request) (string, bool)
	viewers    int
	logger     *slog.Logger
	problems   []error
}

type token struct {
	by   string
	hash [sha256.Size]byte
}

func newConfig(addr *string, root headcount.Node, opts []Option) *config {
	c := &config{addr: addr, viewers: defaultViewers, logger: slog.Default()}
	if root == nil {
		c.problem("root", nil, "is nil")
	}
	for i, o := range opts {
		if o == nil {
			c.problem(fmt.Sprintf("options[%d]", i), nil, "is nil")
			continue
		}
		o(c)
	}
	switch {
	case c.tlsGiven && c.tls == nil:
		c.problem("TLS", nil, "is nil")
	case c.tls != nil && addr == nil:
		c.problem("TLS", "given", "has no meaning for a handler that is mounted in another server")
	}
	if c.changes && !c.authenticates() {
		switch {
		case addr == nil:
			c.problem("AllowChanges", true, "needs Token or Identify: whoever reaches the server could change limits")
		case !isLocal(*addr):
			c.problem("AllowChanges", true, "needs Token, Identify or client certificates by TLS, because "+*addr+" is not a loopback address")
		}
	}
	return c
}

func (c *config) problem(field string, value any, problem string) {
	c.problems = append(c.problems, &headcount.ConfigError{Field: field, Value: value, Problem: problem})
}

func (c *config) err() error { return errors.Join(c.problems...) }

// authenticates reports whether there is a way to know who a request is from.
func (c *config) authenticates() bool {
	return len(c.tokens) > 0 || c.identifier != nil || c.tls != nil && c.tls.ClientAuth >= tls.VerifyClientCertIfGiven
}

// isLocal reports whether an address can be reached from this machine only.
func isLocal(addr string) bool {
	if strings.HasPrefix(addr, "unix:") {
		return true
	}
	host, _, err := net.SplitHostPort(addr)
	return err == nil && isLoopback(host)
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// misdirected refuses requests to a foreign name on a loopback address without authentication. Otherwise a web site could
// have its own name lead to 127.0.0.1, and its visitors' browsers would take the page for a part of the site.
func (c *config) misdirected(r *http.Request) *problem {
	if c.addr == nil || c.authenticates() || strings.HasPrefix(*c.addr, "unix:") || !isLocal(*c.addr) {
		return nil
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if isLoopback(strings.Trim(host, "[]")) {
		return nil
	}
	return &problem{Status: http.StatusMisdirectedRequest, Code: "misdirected", Detail: "without authentication only requests to localhost or a loopback address are answered"}
}

// A visitor is who a request is from.
type visitor struct {
	by       string
	verified bool
}

// identify finds who a request is from; the problem says that it may not come in.
func (c *config) identify(r *http.Request) (visitor, *problem) {
	if !c.authenticates() {
		return visitor{}, nil
	}
	if r.TLS != nil && c.tls != nil && len(r.TLS.VerifiedChains) > 0 {
		if by := certName(r); by != "" {
			return visitor{by, true}, nil
		}
	}
	if by := c.tokenOf(r); by != "" {
		return visitor{by, true}, nil
	}
	if c.identifier != nil {
		if by, ok := c.identifier(r); ok && isName(by) {
			return visitor{by, true}, nil
		}
	}
	return visitor{}, &problem{Status: http.StatusUnauthorized, Code: "unauthorized", Detail: "the request has no valid token or certificate"}
}

func certName(r *http.Request) string {
	cert := r.TLS.VerifiedChains[0][0]
	names := []string{cert.Subject.CommonName}
	if len(cert.URIs) > 0 {
		names = append(names, cert.URIs[0].String())
	}
	names = append(append(names, cert.DNSNames...), cert.EmailAddresses...)
	for _, n := range names {
		if isName(n) {
			return n
		}
	}
	return ""
}

// tokenOf gives the name of the token that the request has. All are compared, so that the time tells nothing.
func (c *config) tokenOf(r *http.Request) (by string) {
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		if _, secret, ok = r.BasicAuth(); !ok {
			return ""
		}
	}
	hash := sha256.Sum256([]byte(secret))
	for _, t := range c.tokens {
		if subtle.ConstantTimeCompare(hash[:], t.hash[:]) == 1 {
			by = t.by
		}
	}
	return by
}

// isName reports whether s can be shown as the name of a person.
func isName(s string) bool { return s != "" && len(s) <= maxName && plain.Is(s) }

const (
	maxName = 100
	maxWhy  = 500
)
