package observe

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/headcount-go/headcount/observe/wire"
)

const (
	heartbeat   = 15 * time.Second
	writeWithin = 5 * time.Second // a viewer that takes longer for one event is dropped
)

// streamed is what the stream consists of. It is here for the description of the API.
type streamed struct {
	Snapshot wire.Snapshot `json:"snapshot" doc:"the data of an event of the type snapshot, the first one or after a gap"`
	Delta    wire.Delta    `json:"delta" doc:"the data of an event of the type delta, at most one in a second"`
}

// stream tells a viewer what changes: a snapshot, then deltas, each with an id to go on after. What a slow viewer has not
// taken is merged into its next delta, and nothing is kept for it; one that takes nothing at all is dropped.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Content-Type", "text/event-stream")
	head.Set("X-Accel-Buffering", "no")
	control := http.NewResponseController(w)
	send := func(text string) error {
		if err := control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		if _, err := w.Write([]byte(text)); err != nil {
			return err
		}
		return control.Flush()
	}
	if send("retry: 2000\n\n") != nil {
		return
	}
	at := r.Header.Get("Last-Event-ID")
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		d, tick, ok := h.watch.since(at)
		var err error
		switch {
		case !ok:
			s := h.snapshot()
			at = s.ID
			err = send(event("snapshot", s.ID, s))
		case d.ID != at:
			at = d.ID
			err = send(event("delta", d.ID, d))
		default:
			select {
			case <-tick:
			case <-beat.C:
				err = send(": still here\n\n")
			case <-r.Context().Done():
				return
			}
		}
		if err != nil || r.Context().Err() != nil {
			return
		}
	}
}

func event(kind, id string, data any) string {
	text, err := json.Marshal(data)
	if err != nil {
		text = []byte(`{}`) // none of our types can fail
	}
	return fmt.Sprintf("event: %s\nid: %s\ndata: %s\n\n", kind, id, text)
}
