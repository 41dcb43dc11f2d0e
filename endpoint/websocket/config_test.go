package websocket

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
)

func TestWrongConfigNamesItsFieldAndValue(t *testing.T) {
	for _, tt := range []struct {
		cfg  Config
		want string
	}{
		{Config{MaxMessage: -1}, "websocket: Config.MaxMessage: -1 is negative"},
		{Config{MaxMessage: 1<<30 + 1}, "websocket: Config.MaxMessage: 1073741825 is above 1073741824"},
		{Config{MessageWithin: -time.Second}, "websocket: Config.MessageWithin: -1s is negative"},
		{Config{MessageRate: -1}, "websocket: Config.MessageRate: -1 is not a number of zero or more"},
		{Config{MessageRate: math.NaN()}, "websocket: Config.MessageRate: NaN is not a number of zero or more"},
		{Config{FrameRate: math.Inf(1)}, "websocket: Config.FrameRate: +Inf is not a number of zero or more"},
		{Config{MessageBurst: -2}, "websocket: Config.MessageBurst: -2 is negative"},
		{Config{IdleWithin: -1}, "websocket: Config.IdleWithin: -1ns is negative"},
		{Config{PingEvery: -1}, "Config.PingEvery"},
		{Config{PongWithin: -1}, "Config.PongWithin"},
		{Config{SendQueue: -1}, "Config.SendQueue: -1"},
		{Config{SendQueueBytes: -1}, "Config.SendQueueBytes: -1"},
		{Config{WriteWithin: -1}, "Config.WriteWithin"},
		{Config{CloseWithin: -1}, "Config.CloseWithin"},
		{Config{SlowConsumer: 2}, "websocket: Config.SlowConsumer: SlowConsumer(2) is not a policy"},
		{Config{OriginPatterns: []string{"ok", "[a"}}, `websocket: Config.OriginPatterns: "[a" is not a pattern`},
		{Config{MessageRate: 10, FrameRate: 5}, "websocket: Config.FrameRate: 5 is below the MessageRate of 10: each message is a frame at least"},
		{Config{FrameRate: 5}, "is below the MessageRate of 100"},
		{Config{FrameBurst: 5}, "websocket: Config.FrameBurst: 5 is below the MessageBurst of 200"},
	} {
		err := tt.cfg.Check()
		var found *headcount.ConfigError
		if !errors.As(err, &found) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Check of %+v: %v, want %q", tt.cfg, err, tt.want)
		}
	}
	all := Config{MaxMessage: -1, SendQueue: -1}.Check()
	for _, field := range []string{"MaxMessage", "SendQueue"} {
		if all == nil || !strings.Contains(all.Error(), field) {
			t.Errorf("Check: %v, want all findings, %s among them", all, field)
		}
	}
}

func TestZeroConfigHasDefaults(t *testing.T) {
	if err := (Config{}).Check(); err != nil {
		t.Error(err)
	}
	want := Config{
		MaxMessage: 32 << 10, MessageWithin: 30 * time.Second, MessageRate: 100, MessageBurst: 200, FrameRate: 1000, FrameBurst: 2000,
		PingEvery: 30 * time.Second, PongWithin: 10 * time.Second,
		SendQueue: 16, SendQueueBytes: 256 << 10, WriteWithin: 10 * time.Second, CloseWithin: time.Second,
	}
	if got := (Config{}).withDefaults(); !reflect.DeepEqual(got, want) {
		t.Errorf("defaults %+v, want %+v", got, want)
	}
	for _, cfg := range []Config{{MessageRate: 0.01}, {MessageRate: 1e300}, {MaxMessage: 1, SendQueueBytes: 1, SendQueue: 1, MessageBurst: 1}} {
		if err := cfg.Check(); err != nil {
			t.Errorf("Check of %+v: %v", cfg, err)
		}
		if d := cfg.withDefaults(); d.MessageBurst < 1 || d.FrameBurst < d.MessageBurst {
			t.Errorf("bursts of %+v: %d and %d", cfg, d.MessageBurst, d.FrameBurst)
		}
	}
}
