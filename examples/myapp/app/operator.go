package app

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/alert"
	"github.com/headcount-go/headcount/examples/myapp/internal/addrfile"
	"github.com/headcount-go/headcount/observe"
)

// startOperator starts what an operator has beside the service, a tree of its own, so that it is there whatever becomes
// of the service:
//
//	operator
//	├── alerts   tells the log, and with -alert-webhook others
//	└── page     shows the tree and changes its limits, with -page-addr
func startOperator(ctx context.Context, c config, root headcount.Node, log *slog.Logger) (stop func(), err error) {
	children := []headcount.Specifier{
		alert.New("alerts", alert.Config{Root: root, Notifiers: c.notifiers(log), Logger: log}),
	}
	var page *observe.Handler
	if c.pageAddr != "" {
		page = observe.New("page", c.pageAddr, root, observe.AllowChanges(), observe.Logger(log))
		children = append(children, page)
	}
	sup := headcount.NewSupervisor("operator", headcount.SupervisorConfig{Logger: log}, children...)
	stop = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		_ = sup.Stop(ctx) // the service has stopped: nothing hangs on it any more
	}
	if err := sup.Start(ctx); err != nil {
		return nil, err
	}
	if page != nil {
		addr := page.Addrs()[0]
		if err := addrfile.Write(c.pageAddrFile, addr); err != nil {
			stop()
			return nil, fmt.Errorf("-page-addr-file: %w", err)
		}
		log.Info("the page is served", "url", fmt.Sprintf("http://%s/", addr))
	}
	return stop, nil
}

func (c config) notifiers(log *slog.Logger) []alert.Notifier {
	n := []alert.Notifier{alert.Slog(log)}
	if c.alertWebhook != "" {
		n = append(n, alert.Webhook(c.alertWebhook, alert.HTTP{Receiver: "myapp"}))
	}
	return n
}
