package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/headcount-go/headcount/internal/plain"
	"github.com/headcount-go/headcount/observe/client"
	"github.com/headcount-go/headcount/observe/wire"
)

// address tells, in the help of commands, how a program is given.
const address = `URL is where the program serves its page: http://host:port or https://host:port, with the prefix that the page is mounted
under, if there is one; host:port alone, which is http; or unix:/path of a socket. A token is read from the file of
--token-file, or from the environment: HEADCOUNT_TOKEN, or the file that HEADCOUNT_TOKEN_FILE names.`

// statuses tell the exit statuses of the commands that ask a program.
const statuses = `
Exit status: 0 if it was done; 1 if the answer is no; 2 if the command was called wrongly, an unknown path among it; 3 if
no program can be reached, or something else answers; 4 if the program does not let one in or does not allow it; 130 if
it was interrupted.`

// A connection is how to come in to a program.
type connection struct {
	tokenFile, authority, cert, key, serverName string
}

func (o *connection) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.tokenFile, "token-file", "", "`file` with the token of the page")
	f.StringVar(&o.authority, "cacert", "", "`file` with the certificates of the authorities to trust, instead of the system's")
	f.StringVar(&o.cert, "cert", "", "`file` with the client certificate")
	f.StringVar(&o.key, "key", "", "`file` with its key; without it, it is in the file of the certificate")
	f.StringVar(&o.serverName, "server-name", "", "`name` that the server's certificate must have, if not that in the URL")
}

// connect makes a client of the program at an address. It says on warn what is done all the same.
func (o *connection) connect(at string, warn io.Writer) (*client.Client, error) {
	token, err := o.token()
	if err != nil {
		return nil, err
	}
	secure := strings.HasPrefix(at, "https://")
	cfg := client.Config{Token: token}
	if o.authority+o.cert+o.key+o.serverName != "" {
		if !secure {
			return nil, fmt.Errorf("%s is not https://, and --cacert, --cert, --key and --server-name are for TLS", plain.Shown(at))
		}
		if cfg.TLS, err = o.tls(); err != nil {
			return nil, err
		}
	}
	c, err := client.New(at, cfg)
	if err != nil {
		return nil, err
	}
	if token != "" && !secure && !staysHere(at) {
		fmt.Fprintf(warn, "headcount: warning: the token goes to %s unencrypted\n", plain.Shown(at))
	}
	return c, nil
}

// staysHere reports whether what is sent to an address stays on this machine.
func staysHere(at string) bool {
	if strings.HasPrefix(at, "unix:") {
		return true
	}
	if !strings.Contains(at, "://") {
		at = "http://" + at
	}
	u, err := url.Parse(at)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

const maxTokenFile = 16 << 10

// token reads the token. There is no flag for it: the arguments of a process can be seen by all.
func (o *connection) token() (string, error) {
	file, from := o.tokenFile, "--token-file"
	if file == "" {
		if token := os.Getenv("HEADCOUNT_TOKEN"); token != "" {
			return checkToken(token, "HEADCOUNT_TOKEN")
		}
		file, from = os.Getenv("HEADCOUNT_TOKEN_FILE"), "HEADCOUNT_TOKEN_FILE"
	}
	if file == "" {
		return "", nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", from, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTokenFile+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", from, err)
	}
	return checkToken(string(text), from+" "+file)
}

func checkToken(token, from string) (string, error) {
	token = strings.TrimSpace(token)
	if token == "" || len(token) > maxTokenFile || !plain.Is(token) {
		return "", fmt.Errorf("%s does not hold a token: one line of printable characters", from)
	}
	return token, nil
}

func (o *connection) tls() (*tls.Config, error) {
	cfg := &tls.Config{ServerName: o.serverName}
	if o.authority != "" {
		text, err := os.ReadFile(o.authority)
		if err != nil {
			return nil, fmt.Errorf("--cacert: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("--cacert: %s has no certificate in PEM", o.authority)
		}
	}
	if o.key != "" && o.cert == "" {
		return nil, errors.New("--key is given without --cert")
	}
	if o.cert != "" {
		key := o.key
		if key == "" {
			key = o.cert
		}
		pair, err := tls.LoadX509KeyPair(o.cert, key)
		if err != nil {
			return nil, fmt.Errorf("--cert %s: %w", o.cert, err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// A statusError is an error with an exit status of its own, and what to do about it.
type statusError struct {
	status int
	err    error
	advice string // a sentence, or nothing
}

func (e *statusError) Error() string {
	if e.advice == "" {
		return e.err.Error()
	}
	return e.err.Error() + "\n" + e.advice
}

func (e *statusError) Unwrap() error { return e.err }

// explain says what to do about an error of a program, and gives it its exit status. path is that of the supervisor that
// was asked for, if one was, and limit the name of its limit.
func explain(ctx context.Context, c *client.Client, err error, path, limit string) error {
	problem, other, unreached := (*wire.Problem)(nil), (*client.NotAPIError)(nil), (*client.ConnectError)(nil)
	switch {
	case errors.As(err, &problem):
		return explainProblem(ctx, c, problem, path, limit)
	case errors.As(err, &other):
		status := exitUnreached
		if other.Status == http.StatusUnauthorized || other.Status == http.StatusForbidden {
			status = exitNotAllowed
		}
		return &statusError{status, err, "Give the address of its page, with the prefix that it is mounted under."}
	case errors.As(err, &unreached):
		return &statusError{exitUnreached, err, advise(unreached)}
	}
	return err
}

// advise says what may help to reach a program.
func advise(err *client.ConnectError) string {
	name, unknown, op := (x509.HostnameError{}), (*tls.CertificateVerificationError)(nil), (*net.OpError)(nil)
	switch {
	case !strings.HasPrefix(err.Address, "https://"):
		return ""
	case errors.As(err, &name):
		return "Give the name in its certificate with --server-name, if it is the right one."
	case errors.As(err, &unknown):
		return "Give the authority that has signed its certificate with --cacert."
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "It does not speak TLS; use http://."
	case errors.As(err, &op) && op.Op == "dial":
		return ""
	}
	return "If it wants a client certificate, give it with --cert and --key." // it may just close the connection
}

func explainProblem(ctx context.Context, c *client.Client, p *wire.Problem, path, limit string) error {
	switch p.Status {
	case http.StatusUnauthorized:
		return &statusError{exitNotAllowed, fmt.Errorf("not allowed: %w", p),
			"Give a token in HEADCOUNT_TOKEN or with --token-file, or a client certificate with --cert and --key."}
	case http.StatusForbidden:
		return &statusError{exitNotAllowed, fmt.Errorf("not allowed: %w", p), ""}
	case http.StatusNotFound:
		return fmt.Errorf("%w%s", p, didYouMean(ctx, c, path, limit))
	case http.StatusBadRequest, http.StatusConflict:
		return &statusError{exitFailed, p, ""}
	}
	return &statusError{exitUnreached, fmt.Errorf("the program cannot answer now: %w", p), ""}
}

// didYouMean names what is nearest to a path or a limit that is not there.
func didYouMean(ctx context.Context, c *client.Client, path, limit string) string {
	if path == "" {
		return ""
	}
	all, err := c.Limits(ctx, "")
	if err != nil {
		return ""
	}
	var paths, limits []string
	for _, s := range all.Supervisors {
		paths = append(paths, s.Path)
		if s.Path == path {
			for _, l := range s.Limits {
				limits = append(limits, l.Name)
			}
		}
	}
	near := ""
	if limits == nil {
		near = plain.Nearest(path, paths)
	} else if near = plain.Nearest(limit, limits); near == "" {
		return "; there are " + plain.Shown(strings.Join(limits, ", "))
	}
	if near == "" {
		return ""
	}
	return "; did you mean " + plain.Shown(near) + "?"
}
