package headcount_test

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/headcount-go/headcount"
)

// Most programs end with os.Exit(headcount.Main(ctx, app, MainConfig{})).
// Here the signal comes from the example and not from the system.
func ExampleMain() {
	signals := make(chan os.Signal, 1)
	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{}, headcount.ChildSpec{
		Name: "web",
		Run: func(ctx context.Context) error {
			signals <- syscall.SIGTERM // somebody stops the service
			<-ctx.Done()
			fmt.Println("web: closing")
			return nil
		},
	})

	code := headcount.Main(context.Background(), app, headcount.MainConfig{Signals: signals})
	fmt.Println("exit code", code)
	// Output:
	// web: closing
	// exit code 0
}
