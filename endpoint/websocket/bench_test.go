package websocket

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	coder "github.com/coder/websocket"
)

// BenchmarkEcho is the time from a message to its echo, over loopback. The floor is the bare library, which has none of
// the bounds and writes on the goroutine that reads.
func BenchmarkEcho(b *testing.B) {
	cfg := Config{MessageRate: 1e9, MessageBurst: 1e9}
	for _, size := range []struct {
		name  string
		bytes int
	}{{"64B", 64}, {"16KiB", 16 << 10}} {
		b.Run(size.name+"/headcount", func(b *testing.B) {
			benchEcho(b, size.bytes, func(w http.ResponseWriter, r *http.Request) { Serve(w, r, cfg, echo) })
		})
		b.Run(size.name+"/bare", func(b *testing.B) {
			benchEcho(b, size.bytes, func(w http.ResponseWriter, r *http.Request) {
				c, err := coder.Accept(w, r, nil)
				if err != nil {
					return
				}
				defer c.CloseNow()
				for {
					kind, message, err := c.Read(r.Context())
					if err != nil {
						return
					}
					if err := c.Write(r.Context(), kind, message); err != nil {
						return
					}
				}
			})
		})
	}
}

func benchEcho(b *testing.B, size int, handler http.HandlerFunc) {
	server := httptest.NewServer(handler)
	defer server.Close()
	ctx := context.Background()
	c, _, err := coder.Dial(ctx, server.URL, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close(coder.StatusNormalClosure, "")
	message := make([]byte, size)
	b.ReportAllocs()
	b.SetBytes(int64(size))
	for b.Loop() {
		if err := c.Write(ctx, coder.MessageBinary, message); err != nil {
			b.Fatal(err)
		}
		if _, _, err := c.Read(ctx); err != nil {
			b.Fatal(err)
		}
	}
}
