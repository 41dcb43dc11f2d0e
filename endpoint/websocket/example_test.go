package websocket_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	coder "github.com/coder/websocket"
	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/endpoint/websocket"
)

// Each user may have two websockets. Each of them is a child of the user's key, on the goroutine of its request, and
// its slot is free when the connection is closed.
func Example() {
	ctx := context.Background()
	users := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(1000), headcount.MaxPerKey(2),
		headcount.WithLogger(slog.New(slog.DiscardHandler)))
	users.Start(ctx)

	shout := func(ctx context.Context, c *websocket.Conn) error {
		for {
			kind, message, err := c.Read()
			if err != nil {
				return err
			}
			if err := c.SendWait(ctx, kind, append(message, '!')); err != nil {
				return err
			}
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user := r.URL.Query().Get("user")
		err := users.At(user).Do(r.Context(), func(ctx context.Context) error {
			return websocket.Serve(w, r.WithContext(ctx), websocket.Config{MaxMessage: 1000}, shout)
		})
		if errors.Is(err, headcount.ErrRefused) && !errors.Is(err, websocket.ErrUpgrade) { // that has been answered
			http.Error(w, "too many connections", http.StatusTooManyRequests)
		}
	}))
	defer server.Close()

	var first *coder.Conn
	for range 3 {
		c, answer, err := coder.Dial(ctx, server.URL+"?user=alice", nil)
		fmt.Println(answer.StatusCode, err == nil)
		if err == nil {
			defer c.CloseNow()
			first = c
		}
	}
	first.Write(ctx, coder.MessageText, []byte("hello"))
	_, message, _ := first.Read(ctx)
	fmt.Println(string(message))

	first.Write(ctx, coder.MessageText, make([]byte, 1001))
	_, _, err := first.Read(ctx)
	fmt.Println(coder.CloseStatus(err))

	users.Stop(ctx)
	fmt.Println(users.At("alice").Count())
	// Output:
	// 101 true
	// 101 true
	// 429 false
	// hello!
	// StatusMessageTooBig
	// 0
}
