// Package websocket serves websockets with every bound that a peer could otherwise grow: the size and the rate of its
// messages, the frames behind them, the time that one message may take, the messages that wait because it does not
// read, and the time that a silent or a stalled connection is kept.
//
//	http.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) {
//		users.At(userOf(r)).Do(r.Context(), func(ctx context.Context) error {
//			return websocket.Serve(w, r.WithContext(ctx), websocket.Config{}, func(ctx context.Context, c *websocket.Conn) error {
//				for {
//					kind, message, err := c.Read()
//					if err != nil {
//						return err
//					}
//					if err := c.SendWait(ctx, kind, message); err != nil {
//						return err
//					}
//				}
//			})
//		})
//	})
//
// An answer is best sent by [Conn.SendWait]: while there is no room for it nothing more is read, and TCP slows the peer
// down. What is pushed to many is sent by [Conn.Send], which does not wait for any of them.
//
// The handler runs on the caller's goroutine. One goroutine beside it writes what is sent, pings a silent peer and says
// goodbye; with the context of a headcount child it belongs to that child. [Serve] returns when both have ended and the
// connection is closed, so the slot of the child, and of the connection, is held exactly as long as there is something.
//
// A connection ends for one [Reason], the first that occurs; it is in the [ClosedError] that Serve, Read and Send return.
//
// Somebody should be in Read most of the time, in a handler that only sends too: pongs and the peer's goodbye are seen
// there and nowhere else. While nobody reads, a silent peer is not held to be dead, and the peer is slowed down by TCP. A
// handler that has something to send of its own does so from a goroutine that it starts by headcount.Go, and reads itself.
//
// The protocol is that of [github.com/coder/websocket]. That library bounds the inflated size of a message; it does not
// bound the rate of pings, each of which it answers, nor of empty fragments, nor what is sent to inflate to nothing. So
// the frames are counted here, on the way from the socket, before it sees them. What is not looked at: whether text is
// valid UTF-8, and the traffic below the frames, where TLS and TCP have their own costs.
package websocket
