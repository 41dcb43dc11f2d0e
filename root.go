package headcount

import (
	"log/slog"
	"time"
)

// rootHome is where the child that runs a root belongs: nowhere.
type rootHome struct {
	node   *node
	events *Subscription
	logged <-chan struct{}
}

// log writes the events of the tree to its logger until the root has ended.
func (h *rootHome) log() {
	logger := h.node.logger
	if logger == nil {
		logger = slog.Default()
	}
	h.events = h.node.Events(1024)
	h.logged = logEvents(h.events, logger)
}

func (h *rootHome) supervisor() *node              { return h.node }
func (h *rootHome) afterRun(c *Child, x exit) bool { return false }
func (h *rootHome) free(c *Child)                  {}
func (h *rootHome) countDown(c *Child)             {}
func (h *rootHome) path(c *Child) string           { return h.node.Path() }
func (h *rootHome) keyName() string                { return "" }

func (h *rootHome) leave(c *Child) {
	h.node.finalize()
	h.events.Close()
	select {
	case <-h.logged:
	case <-time.After(logGrace): // a logger that hangs must not keep the tree from ending
	}
}

// logGrace is how long the end of a root waits for its last events to be logged.
const logGrace = time.Second
