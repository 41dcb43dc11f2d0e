package observe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/observe/wire"
)

// certificate makes a certificate of this name, signed by parent or by itself.
func certificate(t *testing.T, name string, parent *tls.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: parent == nil, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	signer, signedBy := any(key), template
	if parent != nil {
		signer, signedBy = parent.PrivateKey, parent.Leaf
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, signedBy, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key, Leaf: leaf}
}

func TestAClientCertificateSaysWhoMakesAChange(t *testing.T) {
	authority := certificate(t, "authority", nil)
	pool := x509.NewCertPool()
	pool.AddCert(authority.Leaf)
	app := headcount.NewSupervisor("app", headcount.SupervisorConfig{Logger: quiet()})
	page := New("page", "127.0.0.1:0", app, AllowChanges(), Logger(quiet()), TLS(&tls.Config{
		Certificates: []tls.Certificate{certificate(t, "server", &authority)}, ClientCAs: pool, ClientAuth: tls.VerifyClientCertIfGiven,
	}))
	b := &bundle{t: t}
	b.start(app)
	b.start(page.Supervisor())
	change := func(certs ...tls.Certificate) (int, wire.Entry) {
		t.Helper()
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Certificates: certs}}
		defer transport.CloseIdleConnections()
		client := &http.Client{Transport: transport}
		answer, err := client.Post("https://"+page.Addrs()[0].String()+"/api/v1/limits", "application/json",
			strings.NewReader(`{"path":"app","limit":"max_children","value":7,"by":"mallory"}`))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var e wire.Entry
		_ = json.NewDecoder(answer.Body).Decode(&e)
		return answer.StatusCode, e
	}
	if status, _ := change(); status != http.StatusUnauthorized {
		t.Errorf("without a certificate: %d", status)
	}
	if status, e := change(certificate(t, "bob", &authority)); status != http.StatusOK || e.By != "bob" || !e.Verified {
		t.Errorf("with bob's: %d %+v", status, e)
	}
}

func TestTheProgramSaysWhoARequestIsFrom(t *testing.T) {
	b := setup(t, Identify(func(r *http.Request) (string, bool) { return r.Header.Get("X-User"), r.Header.Get("X-User") != "" }))
	noToken := func(r *http.Request) { r.Header.Del("Authorization") }
	if status, _, _ := b.ask("api/v1/tree", nil, noToken, func(r *http.Request) { r.Header.Set("X-User", "eve") }); status != http.StatusOK {
		t.Errorf("eve gets %d", status)
	}
	b.refused("api/v1/tree", nil, 401, "unauthorized", noToken)
}
