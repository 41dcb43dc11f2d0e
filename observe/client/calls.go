package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/headcount-go/headcount/observe/wire"
)

// Tree gives the whole tree.
func (c *Client) Tree(ctx context.Context) (*wire.Snapshot, error) {
	s, err := ask[wire.Snapshot](ctx, c, "tree", nil, nil)
	if err == nil && (s.ID == "" || s.Root == "") {
		return nil, c.notAPI(http.StatusOK, "its answer is no tree")
	}
	return s, err
}

// Node gives the supervisor at a path.
func (c *Client) Node(ctx context.Context, path string) (*wire.Detail, error) {
	return ask[wire.Detail](ctx, c, "node", url.Values{"path": {path}}, nil)
}

// TopKeys gives the n keys of a keyed supervisor that hold most, up to 1,000.
func (c *Client) TopKeys(ctx context.Context, path string, n int) (*wire.TopKeys, error) {
	return ask[wire.TopKeys](ctx, c, "keys", url.Values{"path": {path}, "limit": {strconv.Itoa(n)}}, nil)
}

// Limits gives the limits of the supervisor at a path and of all below it; with an empty path, of the whole tree.
func (c *Client) Limits(ctx context.Context, path string) (*wire.AllLimits, error) {
	return ask[wire.AllLimits](ctx, c, "limits/all", url.Values{"path": {path}}, nil)
}

// Preview tells what a change of a limit would do.
func (c *Client) Preview(ctx context.Context, change wire.LimitChange) (*wire.Preview, error) {
	return ask[wire.Preview](ctx, c, "limits/preview", nil, change)
}

// SetLimit changes a limit, and gives the entry of the audit log. With Expected the change is refused with a conflict if
// the limit has another value by then.
func (c *Client) SetLimit(ctx context.Context, change wire.LimitChange) (*wire.Entry, error) {
	return ask[wire.Entry](ctx, c, "limits", nil, change)
}

// Log gives the last n events at a path and below it, up to 1,000, the newest first; with an empty path, of the whole tree.
func (c *Client) Log(ctx context.Context, path string, n int) (*wire.EventPage, error) {
	return ask[wire.EventPage](ctx, c, "log", url.Values{"path": {path}, "limit": {strconv.Itoa(n)}}, nil)
}
