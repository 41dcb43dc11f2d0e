package alert_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/alert"
)

// A service is told of a supervisor without a limit, and that it has one again.
func Example() {
	quiet := slog.New(slog.DiscardHandler)
	told := make(chan string, 10)
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(headcount.Unlimited))
	alerts := alert.New("alerts", alert.Config{
		Interval: 10 * time.Millisecond,
		Notifiers: []alert.Notifier{
			alert.Func("example", func(_ context.Context, alerts []alert.Alert) error {
				for _, a := range alerts {
					told <- a.String()
				}
				return nil
			}),
		},
	})
	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{Logger: quiet}, jobs, alerts)
	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer app.Stop(context.Background())

	fmt.Println(<-told)
	_ = jobs.MaxChildren().Set(64, headcount.Change{Source: "page", By: "ann"})
	fmt.Println(<-told)
	// Output:
	// HeadcountUnlimited at myapp/jobs (max_children): max_children is unlimited
	// resolved: HeadcountUnlimited at myapp/jobs (max_children): max_children is unlimited
}

// Rules can be changed: here an alert is to fire at three quarters of a limit, and nobody wants to hear of limits that
// there are none of.
func ExampleRules() {
	var rules []alert.Rule
	for _, r := range alert.Rules() {
		switch r.Name {
		case "HeadcountUnlimited":
			continue
		case "HeadcountNearLimit":
			r.Fires, r.Clears = 0.75, 0.6
		}
		rules = append(rules, r)
	}
	alerts := alert.New("alerts", alert.Config{Rules: rules})
	fmt.Println(len(rules), alerts.ChildSpec().Name)
	// Output: 14 alerts
}
