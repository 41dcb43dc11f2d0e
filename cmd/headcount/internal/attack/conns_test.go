package attack_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount/cmd/headcount/internal/attack"
	"github.com/headcount-go/headcount/cmd/headcount/internal/loopback"
	"github.com/headcount-go/headcount/endpoint"
)

const slow = 150 * time.Millisecond

// defended is as much of the application as the attacks on connections need, behind an endpoint.
func defended(t *testing.T, opts ...endpoint.Option) (addr string) {
	t.Helper()
	if !loopback.Many() {
		t.Skip("this system has one loopback address only")
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("POST /jobs", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		if _, err := io.Copy(io.Discard, r.Body); errors.Is(err, os.ErrDeadlineExceeded) {
			http.Error(w, "slow", http.StatusRequestTimeout)
			return
		}
		fmt.Fprint(w, `{"id":"1"}`)
	})
	mux.HandleFunc("GET /jobs/1", func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(slow))
		fmt.Fprintf(w, `{"state":"done","result":"%s"}`, strings.Repeat("x", 400_000))
	})
	e := endpoint.New("web", "127.0.0.1:0", mux, append([]endpoint.Option{
		endpoint.Logger(slog.New(slog.DiscardHandler)), endpoint.H2C(),
		endpoint.Timeouts{Header: slow, Stall: slow},
	}, opts...)...)
	if err := e.Supervisor().Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Supervisor().Stop(context.Background()) })
	return e.Addrs()[0].String()
}

// strike makes an attack on addr until over says that it is, and returns what the attacker counted.
func strike(t *testing.T, addr string, a attack.Attack, over func(attack.Counts) bool) attack.Counts {
	t.Helper()
	at := target(addr)
	at.From = loopback.Addresses(loopback.Attacks)
	return until(t, at, a, over)
}

var fourClients = attack.Clients{Networks: 2, Each: 2}

func TestFloodHoldsWhatClientsAndNetworksMay(t *testing.T) {
	for _, row := range []struct {
		limits endpoint.Limits
		want   int
	}{
		{endpoint.Limits{ConnsPerClient: 5}, 20},
		{endpoint.Limits{ConnsPerClient: 20, ConnsPerPrefix: 7}, 14},
		{endpoint.Limits{}, 80},
	} {
		got := strike(t, defended(t, row.limits), attack.ConnectionFlood(80, fourClients), settled)
		if got.HeldPeak != row.want || got.HeldAtEnd != row.want || got.Refused["cut off"] != 80-row.want {
			t.Errorf("%+v: got %+v, want %d held and the others refused", row.limits, got, row.want)
		}
	}
}

func TestSlowClientsAreCountedByWhatEndedThem(t *testing.T) {
	for _, row := range []struct {
		attack attack.Attack
		reason string
	}{
		{attack.SlowHeader(20, fourClients), "cut off"},
		{attack.SlowBody(20, fourClients), "status_408"},
		{attack.RefusedBody(20, fourClients), "status_401"},
		{attack.SlowReader(20, fourClients), "cut off"},
	} {
		got := strike(t, defended(t), row.attack, func(c attack.Counts) bool { return c.Planned > 0 && c.RefusedTotal() == c.Planned })
		if got.Refused[row.reason] != 20 || got.HeldAtEnd != 0 || got.Accepted != 0 || len(got.Failed) != 0 {
			t.Errorf("%s: got %+v, want 20 ended as %q", row.attack.Name, got, row.reason)
		}
	}
}

func TestSlowClientsAreHeldByWhoLetsThem(t *testing.T) {
	observe := endpoint.Observe(endpoint.LayerBytes)
	for _, a := range []attack.Attack{attack.SlowHeader(20, fourClients), attack.SlowBody(20, fourClients), attack.RefusedBody(20, fourClients)} {
		var all time.Time // since when it has held all
		got := strike(t, defended(t, observe), a, func(c attack.Counts) bool {
			if all.IsZero() && c.Held == 20 {
				all = time.Now()
			}
			return !all.IsZero() && time.Since(all) > 3*slow
		})
		if got.HeldAtEnd != 20 || got.Accepted != 20 || got.Held != 0 {
			t.Errorf("%s: got %+v, want all 20 held to the end, and then let go", a.Name, got)
		}
	}
}

func TestSpoofedAddressesAreOneClient(t *testing.T) {
	got := strike(t, defended(t, endpoint.Rates{Requests: 1, RequestsBurst: 10}), attack.SpoofedAddresses(100, fourClients), settled)
	if got.Accepted < 10 || got.Accepted > 12 || got.Refused["request_rate"] != 100-got.Accepted {
		t.Errorf("got %+v, want ten accepted, a second's one or two, and the others refused", got)
	}
}

func TestResetsAreReadToTheLastOrRefused(t *testing.T) {
	got := strike(t, defended(t), attack.RapidReset(3, fourClients), settled)
	if got.Refused["cut off"] != 3 {
		t.Errorf("got %+v, want three connections cut off", got)
	}
	if got = strike(t, defended(t, endpoint.Rates{Resets: 10_000}, endpoint.Limits{RequestsPerClient: 10_000}), attack.RapidReset(3, fourClients), settled); len(got.Failed) != 0 {
		t.Errorf("got %+v, want the others let through, or refused by net/http", got)
	}
}
