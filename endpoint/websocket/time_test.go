package websocket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs a test in synthetic time.
func bubble(t *testing.T, fn func(t *testing.T)) { t.Helper(); synctest.Test(t, fn) }

func TestHalfOpenPeerIsCutAfterOnePing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{}, echo)
		s.mustReceive(final | opPing)
		s.after(30 * time.Second)
		if code := s.farewell(); code != StatusPolicyViolation {
			t.Errorf("farewell %d, want %d", code, StatusPolicyViolation)
		}
		s.ended(ReasonNoPong)
		s.after(41 * time.Second) // ping, pong, goodbye
	})
}

func TestPeerThatAnswersPingsStays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{}, echo)
		for range 120 {
			f := s.mustReceive(final | opPing)
			time.Sleep(9 * time.Second)
			s.mustSend(frame{final | opPong, f.payload})
		}
		s.mustSend(closeFrame(StatusNormalClosure))
		if code := s.farewell(); code != StatusNormalClosure {
			t.Errorf("farewell %d", code)
		}
		s.ended("")
	})
}

func TestPeerThatSendsIsNotPinged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{}, echo)
		for range 100 {
			time.Sleep(29 * time.Second)
			s.mustSend(text("x"))
			s.mustReceive(final | opText)
		}
	})
}

func TestPeerIsNotBlamedWhileNobodyReads(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{IdleWithin: time.Minute, MessageWithin: time.Minute}, func(ctx context.Context, c *Conn) error {
			for range 3 {
				time.Sleep(10 * time.Minute)
				if _, _, err := c.Read(); err != nil {
					return err
				}
			}
			return nil
		})
		s.Go(func() {
			// What the server has read ahead ends amid the second message.
			b := encode(text("xyz"))
			s.conn.Write(append(b, b[:5]...))
			s.conn.Write(append(b[5:], b...))
		})
		for {
			f, err := s.receive()
			if err != nil {
				break
			}
			if f.opcode == final|opClose {
				s.Go(func() { s.send(closeFrame(StatusNormalClosure)) })
			}
		}
		s.ended("")
		s.after(30 * time.Minute)
	})
}

func TestIdlePeerIsClosedAlthoughItPings(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{IdleWithin: time.Minute}, echo)
		s.Go(func() {
			for s.send(frame{final | opPing, nil}) == nil {
				time.Sleep(time.Second)
			}
		})
		if code := s.farewell(); code != StatusPolicyViolation {
			t.Errorf("farewell %d", code)
		}
		s.after(time.Minute)
		s.ended(ReasonIdle)
	})
}

func TestDribbledMessageIsCut(t *testing.T) {
	for name, dribble := range map[string]func(s *session){
		"bytes": func(s *session) {
			s.conn.Write(encodeHeader(final|opText, 10_000))
			for {
				if _, err := s.conn.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		},
		"fragments, with pings between": func(s *session) {
			err := s.send(frame{opText, nil})
			for err == nil {
				time.Sleep(time.Second)
				err = s.send(frame{final | opPing, nil}, frame{opContinuation, nil})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := pipeSession(t, t.Context(), Config{}, echo)
				s.Go(func() { dribble(s) })
				if code := s.farewell(); code != StatusPolicyViolation {
					t.Errorf("farewell %d", code)
				}
				s.after(30 * time.Second)
				s.ended(ReasonSlowMessage)
			})
		})
	}
}

func TestDribbledControlFrameIsCut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{}, echo)
		s.conn.Write(encodeHeader(final|opPing, 100))
		s.ended(ReasonSlowMessage)
		s.after(5*time.Second + time.Second)
	})
}

func TestPeerThatNeverReadsIsCut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{}, func(ctx context.Context, c *Conn) error {
			if err := c.Send(MessageText, make([]byte, 20_000)); err != nil {
				return err
			}
			_, _, err := c.Read()
			return err
		})
		s.ended(ReasonWriteStall)
		s.after(10*time.Second + time.Second)
	})
}

func TestPeerThatPingsAndNeverReadsIsCut(t *testing.T) {
	for within, want := range map[time.Duration]time.Duration{10 * time.Second: 5 * time.Second, 2 * time.Second: 2 * time.Second} {
		bubble(t, func(t *testing.T) {
			s := pipeSession(t, t.Context(), Config{WriteWithin: within}, echo)
			s.mustSend(frame{final | opPing, nil})
			s.ended(ReasonWriteStall)
			s.after(want + time.Second)
		})
	}
}

func TestPeerThatDoesNotEvenTakeAPingIsCut(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{}, echo)
		s.ended(ReasonWriteStall)
		s.after(30*time.Second + 10*time.Second + time.Second)
	})
}

func TestSlowConsumerIsClosed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sent := 0
		s := pipeSession(t, t.Context(), Config{SendQueue: 5}, func(ctx context.Context, c *Conn) error {
			for {
				if err := c.Send(MessageText, []byte("tick")); err != nil {
					return err
				}
				sent++
				time.Sleep(time.Millisecond) // for the one beside to take its message
			}
		})
		s.ended(ReasonSlowConsumer)
		s.after(6*time.Millisecond + time.Second) // Send does not block
		if sent != 1+5 {
			t.Errorf("%d sent, want one in writing and 5 waiting", sent)
		}
	})
}

func TestBytesThatWaitAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sent := 0
		s := pipeSession(t, t.Context(), Config{SendQueueBytes: 1000}, func(ctx context.Context, c *Conn) error {
			if err := c.Send(MessageText, make([]byte, 1001)); !errors.Is(err, ErrTooLong) {
				t.Errorf("Send: %v, want ErrTooLong", err)
			}
			for {
				if err := c.Send(MessageText, make([]byte, 400)); err != nil {
					return err
				}
				sent++
				time.Sleep(time.Millisecond)
			}
		})
		s.ended(ReasonSlowConsumer)
		if sent != 1+2 {
			t.Errorf("%d sent, want one in writing and 2 waiting", sent)
		}
	})
}

func TestDropOldestKeepsTheNewest(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{SendQueue: 3, SlowConsumer: DropOldest}, func(ctx context.Context, c *Conn) error {
			for i := range 10 {
				if err := c.Send(MessageText, fmt.Append(nil, i)); err != nil {
					return err
				}
				time.Sleep(time.Millisecond)
			}
			if d := c.Dropped(); d != 6 {
				t.Errorf("%d dropped, want 6", d)
			}
			_, _, err := c.Read()
			return err
		})
		time.Sleep(time.Second)
		for _, want := range []string{"0", "7", "8", "9"} { // the first was being written already
			if f := s.mustReceive(final | opText); string(f.payload) != want {
				t.Errorf("received %q, want %q", f.payload, want)
			}
		}
		s.conn.Close()
		s.ended("")
	})
}

func TestSendWaitWaitsForRoom(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{SendQueue: 1, WriteWithin: time.Hour}, func(ctx context.Context, c *Conn) error {
			results := make(chan error)
			for range 20 {
				go func() { results <- c.SendWait(ctx, MessageText, []byte("x")) }()
			}
			for range 20 {
				if err := <-results; err != nil {
					t.Errorf("SendWait: %v", err)
				}
			}
			short, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			if err := c.SendWait(short, MessageText, []byte("x")); err != nil {
				t.Errorf("SendWait with room: %v", err)
			}
			return nil
		})
		for range 21 {
			time.Sleep(100 * time.Millisecond)
			s.mustReceive(final | opText)
		}
		s.mustReceive(final | opClose)
		s.mustSend(closeFrame(StatusNormalClosure))
		s.ended("")
	})
}

func TestRoomForTwoWakesTwo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		c := newConn(t.Context(), Config{SendQueue: 2}.withDefaults())
		defer c.cancel(nil)
		for range 2 {
			if err := c.Send(MessageText, nil); err != nil {
				t.Fatal(err)
			}
		}
		results := make(chan error, 2)
		for range 2 {
			go func() { results <- c.SendWait(t.Context(), MessageText, nil) }()
		}
		synctest.Wait()
		c.mu.Lock() // both leave before anybody can come
		c.queue.pop()
		c.queue.pop()
		signal(c.room)
		c.mu.Unlock()
		for range 2 {
			if err := <-results; err != nil {
				t.Errorf("SendWait: %v", err)
			}
		}
	})
}

func TestStopSaysGoodbye(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{}, echo)
		time.Sleep(3 * time.Second)
		s.stop()
		if code := s.farewell(); code != StatusGoingAway {
			t.Errorf("farewell %d, want %d", code, StatusGoingAway)
		}
		s.mustSend(closeFrame(StatusGoingAway))
		s.ended("")
		s.after(3 * time.Second)
	})
}

func TestStopCutsWhoDoesNotAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{CloseWithin: 2 * time.Second}, echo)
		s.stop()
		if code := s.farewell(); code != StatusGoingAway {
			t.Errorf("farewell %d, want %d", code, StatusGoingAway)
		}
		s.ended("")
		s.after(2 * time.Second)
	})
}

func TestStopCutsWhoDoesNotReadEither(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{}, func(ctx context.Context, c *Conn) error {
			for range 5 {
				if err := c.Send(MessageText, make([]byte, 20_000)); err != nil {
					return err
				}
			}
			<-ctx.Done()
			return ctx.Err()
		})
		synctest.Wait()
		s.stop()
		s.ended("")
		s.after(time.Second)
	})
}

func TestWhatWaitsIsSentBeforeAnOrderlyEnd(t *testing.T) {
	boom := errors.New("boom")
	for name, tt := range map[string]struct {
		end  func(c *Conn) error
		want error
		code StatusCode
	}{
		"return": {func(c *Conn) error { return nil }, nil, StatusNormalClosure},
		"close":  {func(c *Conn) error { c.Close(4001, "enough"); return nil }, nil, 4001},
		"long":   {func(c *Conn) error { c.Close(4002, strings.Repeat("é", 100)); return nil }, nil, 4002},
		"error":  {func(c *Conn) error { return boom }, boom, StatusInternalError},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := pipeSession(t, t.Context(), Config{}, func(ctx context.Context, c *Conn) error {
					for i := range 5 {
						if err := c.Send(MessageText, fmt.Append(nil, i)); err != nil {
							return err
						}
					}
					return tt.end(c)
				})
				for i := range 5 {
					if f := s.mustReceive(final | opText); string(f.payload) != fmt.Sprint(i) {
						t.Errorf("received %q, want %d", f.payload, i)
					}
				}
				if code := s.farewell(); code != tt.code {
					t.Errorf("farewell %d, want %d", code, tt.code)
				}
				s.mustSend(closeFrame(tt.code))
				if err := <-s.result; err != tt.want {
					t.Errorf("Serve returned %v, want %v", err, tt.want)
				}
				s.after(0)
			})
		})
	}
}

func TestUseAfterTheEndIsRefused(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var kept *Conn
		s := pipeSession(t, t.Context(), Config{}, func(ctx context.Context, c *Conn) error { kept = c; return nil })
		s.ended("")
		_, _, err := kept.Read()
		for _, err := range []error{err, kept.Send(MessageText, nil), kept.SendWait(t.Context(), MessageText, nil), context.Cause(kept.Context())} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("got %v, want ErrClosed", err)
			}
		}
		kept.Close(StatusNormalClosure, "again")
	})
}

func TestBacklogOfABusyHandlerIsDelivered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := pipeSession(t, t.Context(), Config{MessageRate: 10, MessageBurst: 5}, func(ctx context.Context, c *Conn) error {
			for i := range 20 {
				if _, _, err := c.Read(); err != nil {
					return err
				}
				if i == 0 {
					time.Sleep(10 * time.Second) // the others have come meanwhile
				}
			}
			return nil
		})
		s.Go(func() { s.conn.Write(bytes.Repeat(encode(text("x")), 20)) })
		if code := s.farewell(); code != StatusNormalClosure {
			t.Errorf("farewell %d", code)
		}
		s.mustSend(closeFrame(StatusNormalClosure))
		s.ended("")
	})
}

func TestAbsenceIsWorthFourBursts(t *testing.T) {
	now := time.Now()
	b := newBucket(10, 20, now)
	takeAll := func() (n int) {
		for b.take(now) {
			n++
		}
		return n
	}
	if n := takeAll(); n != 20 {
		t.Errorf("%d at once, want the burst of 20", n)
	}
	now = now.Add(5 * time.Second)
	b.absent(5 * time.Second)
	if n := takeAll(); n != 50 {
		t.Errorf("%d after an absence of 5 s, want what has come meanwhile, 50", n)
	}
	now = now.Add(time.Hour)
	b.absent(time.Hour)
	if n := takeAll(); n != 20+4*20 {
		t.Errorf("%d after an hour, want the burst and four more", n)
	}
	now = now.Add(time.Hour)
	if n := takeAll(); n != 20 {
		t.Errorf("%d after an hour of waiting, want the burst of 20", n)
	}
}
