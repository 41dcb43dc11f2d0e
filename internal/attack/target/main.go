package target

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"time"
)

// Env is the environment variable that makes a program a target: a program that starts one, itself with this variable
// set, calls Main first.
const Env = "HEADCOUNT_ATTACK_TARGET"

// order is what a target is told, as the value of Env.
type order struct {
	Kind  string
	TLS   bool
	Proxy bool
}

// hello is the first line that a target writes.
type hello struct {
	Addr, Page string
	Cert       []byte // PEM; empty without TLS
}

// Main serves, and ends the process, if this process was started to be a target. Otherwise it returns at once.
func Main() {
	raw := os.Getenv(Env)
	if raw == "" {
		return
	}
	fmt.Fprintln(os.Stderr, serve(raw))
	os.Exit(1)
}

func serve(raw string) error {
	// The process must not outlive its starter, which holds the other end of this pipe, however that ends.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	var o order
	if err := json.Unmarshal([]byte(raw), &o); err != nil {
		return fmt.Errorf("read %s: %w", Env, err)
	}
	kinds, err := ByName(o.Kind)
	if err != nil {
		return err
	}
	options := Options{Proxy: o.Proxy}
	var said hello
	if o.TLS {
		if options.TLS, said.Cert, err = newCertificate(); err != nil {
			return err
		}
	}
	service, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	admin, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	said.Addr, said.Page = service.Addr().String(), admin.Addr().String()

	counts := &Counts{}
	page := &page{counts: counts}
	failed := make(chan error, 2)
	go page.sample()
	watched := &http.Server{Handler: page, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	go func() { failed <- watched.Serve(admin) }()
	go func() { failed <- kinds[0].Serve(service, options, Handler(counts)) }()
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		return err
	}
	return <-failed
}

func newCertificate() (*tls.Config, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	var cert bytes.Buffer
	if err := pem.Encode(&cert, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
		return nil, nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, cert.Bytes(), nil
}

// clientConfig is how to connect to a target with that certificate.
func clientConfig(cert []byte) (*tls.Config, error) {
	if len(cert) == 0 {
		return nil, nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(cert) {
		return nil, errors.New("the certificate of the target cannot be read")
	}
	return &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}, nil
}
