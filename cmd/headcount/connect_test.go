package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount/observe"
)

func TestATokenComesFromTheEnvironmentOrAFile(t *testing.T) {
	p := start(t)
	file := filepath.Join(t.TempDir(), "token")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(secret + "\n")
	p.command(t, "", "tree URL").has(t, 0, "shop")
	t.Setenv("HEADCOUNT_TOKEN", "the token of somebody else")
	p.command(t, "", "tree URL").has(t, exitNotAllowed, "not allowed", "HEADCOUNT_TOKEN")
	p.command(t, "", "tree URL -token-file", file).has(t, 0, "shop")
	t.Setenv("HEADCOUNT_TOKEN", "")
	p.command(t, "", "tree URL").has(t, exitNotAllowed, "not allowed", "--token-file")
	t.Setenv("HEADCOUNT_TOKEN_FILE", file)
	p.command(t, "", "tree URL").has(t, 0, "shop")

	for _, text := range []string{"", "\n", "two\nlines", "a\x1b", strings.Repeat("x", maxTokenFile+1)} {
		write(text)
		p.command(t, "", "tree URL").has(t, exitError, "HEADCOUNT_TOKEN_FILE "+file+" does not hold a token")
	}
	p.command(t, "", "tree URL --token-file /no/such/file").has(t, exitError, "--token-file: open /no/such/file")
}

func TestATokenThatGoesOutUnencryptedIsWarnedOf(t *testing.T) {
	t.Setenv("HEADCOUNT_TOKEN", secret)
	for address, want := range map[string]bool{
		"http://myapp.example/x": true, "myapp.example:80": true, "http://192.0.2.1:7070": true,
		"https://myapp.example": false, "http://127.0.0.1:7070": false, "localhost:7070": false, "http://[::1]:7070": false, "unix:/run/myapp": false,
	} {
		var warned strings.Builder
		c, err := new(connection).connect(address, &warned)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		if got := warned.Len() > 0; got != want {
			t.Errorf("%s: warned %q, want a warning: %v", address, warned.String(), want)
		}
	}
}

func TestWhereNoProgramAnswersTheStatusIs3(t *testing.T) {
	p := start(t)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>a shop") }))
	defer other.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + l.Addr().String()
	l.Close()
	for _, line := range []string{"tree ", "limits get ", "events ", "events -f -n 0 ", "rules ", "dashboard ", "limits check no-file "} {
		p.command(t, "", line+other.URL).has(t, exitUnreached, "is not the admin API of a Headcount program", "with the prefix")
		p.command(t, "", line+dead).has(t, exitUnreached, "cannot reach "+dead, "refused")
	}
	p.command(t, "", "limits set "+dead+" shop/jobs max_children 5 -reason x").has(t, exitUnreached, "cannot reach "+dead)
	p.command(t, "", "tree "+strings.TrimSuffix(p.url, "/ops")).has(t, exitUnreached, "404 Not Found")
	p.command(t, "", "tree ftp://host").has(t, exitError, "must be http:// or https://")
	p.command(t, "", "tree http://ann:secret@host").has(t, exitError, "has a password in it")
}

func TestWhoMayNotComeInGetsStatus4(t *testing.T) {
	p := start(t)
	t.Setenv("HEADCOUNT_TOKEN", "")
	for _, line := range []string{"tree URL", "limits get URL", "limits set URL shop/jobs max_children 5 -reason x", "limits check no-file URL", "events URL", "events -f -n 0 URL", "rules URL", "dashboard URL"} {
		p.command(t, "", line).has(t, exitNotAllowed, "not allowed")
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }))
	defer proxy.Close()
	p.command(t, "", "tree "+proxy.URL).has(t, exitNotAllowed, "403 Forbidden")
}

func TestTLSOptionsNeedTLS(t *testing.T) {
	p := start(t)
	file := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(file, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.command(t, "", "tree URL -cacert "+file).has(t, exitError, "is not https://")
	for flags, want := range map[string]string{
		"-cacert /no/such": "--cacert: open /no/such", "-cacert " + file: "has no certificate in PEM", "-key " + file: "--key is given without --cert",
		"-cert " + file: "--cert " + file,
	} {
		p.command(t, "", "tree https://127.0.0.1:1 "+flags).has(t, exitError, want)
	}
}

// An authority signs certificates for the tests.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.sign("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return a
}

// sign makes a certificate with its key in a file, and gives its name.
func (a *authority) sign(name string, c *x509.Certificate) string {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	c.SerialNumber, c.Subject, c.NotAfter = big.NewInt(1), pkix.Name{CommonName: name}, time.Now().Add(time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = c, key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	if a.cert == nil {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			a.t.Fatal(err)
		}
		a.key = key
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	text := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})...)
	file := filepath.Join(a.dir, name+".pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		a.t.Fatal(err)
	}
	return file
}

func TestAClientCertificateSaysWhoMadeAChange(t *testing.T) {
	p := start(t)
	t.Setenv("HEADCOUNT_TOKEN", "")
	a := newAuthority(t)
	server := a.sign("server", &x509.Certificate{DNSNames: []string{"myapp.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	client := a.sign("bob", &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	pair, err := tls.LoadX509KeyPair(server, server)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	page := observe.New("secure", "127.0.0.1:0", p.app, observe.AllowChanges(),
		observe.TLS(&tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert}))
	if err := page.Supervisor().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer page.Supervisor().Stop(t.Context())
	url := "https://" + page.Addrs()[0].String()
	ca := " -cacert " + filepath.Join(a.dir, "ca.pem")

	p.command(t, "", "tree "+url).has(t, exitUnreached, "certificate signed by unknown authority", "--cacert")
	p.command(t, "", "tree "+url+ca).has(t, exitUnreached, "--cert and --key")
	p.command(t, "", "tree "+url+ca+" -cert "+client).has(t, 0, "jobs")
	p.command(t, "", "tree "+url+ca+" -cert "+client+" -key "+client+" -server-name myapp.example").has(t, 0, "jobs")
	p.command(t, "", "tree "+url+ca+" -cert "+client+" -server-name other.example").has(t, exitUnreached, "not other.example", "--server-name")
	p.command(t, "", "limits set "+url+" shop/jobs max_children 5 -yes -reason x"+ca+" -cert "+client).has(t, 0, "Changed by bob")
}
