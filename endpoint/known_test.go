package endpoint

import (
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

func TestKnownClientsAreForgottenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newKnownTable()
		ann, bob := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
		if table.has(ann) {
			t.Error("a client is known before it has come")
		}
		table.note(ann)
		if !table.has(ann) || table.has(bob) {
			t.Error("not the one who came is known")
		}
		time.Sleep(knownFor - 2*time.Second)
		table.note(bob)
		if !table.has(ann) {
			t.Error("a client is forgotten early")
		}
		time.Sleep(3 * time.Second)
		if table.has(ann) || !table.has(bob) {
			t.Error("a client is not forgotten, or another one is with it")
		}
	})
}

func TestKnownClientsGiveWayToNewerOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newKnownTable()
		const clients = 10 * knownSets * knownWays
		addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
		for i := range clients {
			if i%(clients/100) == 0 {
				time.Sleep(time.Second)
			}
			table.note(addr(i))
		}
		known := 0
		for i := clients - 1000; i < clients; i++ {
			if table.has(addr(i)) {
				known++
			}
		}
		if known < 950 {
			t.Errorf("of the latest 1,000 clients %d are known", known)
		}
	})
}

func BenchmarkKnown(b *testing.B) {
	table := newKnownTable()
	client := netip.MustParseAddr("192.0.2.1")
	b.Run("note", func(b *testing.B) {
		for b.Loop() {
			table.note(client)
		}
	})
	b.Run("has", func(b *testing.B) {
		for b.Loop() {
			table.has(client)
		}
	})
}

// A flood of strangers may not keep out who has proven itself before.
func TestConnectionsOfProvenClientsHaveRoomKept(t *testing.T) {
	e := start(t, hello, Limits{Conns: 10}, Shares(0.5, 1),
		PriorityFunc(func(r *http.Request) headcount.Class {
			if r.Header.Get("Proven") != "" {
				return 1
			}
			return 0
		}))
	first := dialFrom(t, "127.0.0.50", addr(e))
	fmt.Fprint(first, "GET / HTTP/1.1\r\nHost: x\r\nProven: 1\r\nConnection: close\r\n\r\n")
	readUntil(t, first, "hello")
	eventually(t, "the connection to end", func() bool { return e.Conns().Counts().Running == 0 })

	for i := range 5 {
		dialFrom(t, fmt.Sprintf("127.0.1.%d", 1+i), addr(e))
	}
	eventually(t, "the strangers' share to be full", func() bool { return e.Conns().Counts().Running == 5 })
	if stranger := dialFrom(t, "127.0.2.1", addr(e)); !ended(stranger, 2*time.Second) {
		t.Error("a stranger is let into the room that is kept")
	}
	again := dialFrom(t, "127.0.0.50", addr(e))
	fmt.Fprint(again, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	readUntil(t, again, "hello")
}
