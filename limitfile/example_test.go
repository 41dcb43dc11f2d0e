package limitfile_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/limitfile"
)

// A service keeps its limits in a file, reads it at its start, when it changes, and on SIGHUP.
func Example() {
	dir, err := os.MkdirTemp("", "limits")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "limits.yaml")
	text := `
myapp/users: {max_children: 50k, max_per_key: 8}
myapp/jobs:
  max_children: {value: 64, reason: the disk does not take more, owner: storage team}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	quiet := slog.New(slog.DiscardHandler)
	limits := limitfile.New("limits", file, limitfile.Config{Reload: hup, Logger: quiet})
	users := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(1000), headcount.MaxPerKey(4))
	jobs := headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(16))
	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{Logger: quiet}, limits, users, jobs)
	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer app.Stop(context.Background())

	fmt.Println(users.MaxChildren().Value(), users.MaxPerKey().Value())
	s := jobs.MaxChildren().Snapshot()
	fmt.Printf("%d, set by the %s for the %s: %s\n", s.InForce, s.Setting.Source, s.Setting.By, s.Setting.Why)
	// Output:
	// 50000 8
	// 64, set by the file for the storage team: the disk does not take more
}

// What is wrong with a file is told with its place, and nothing of it is set.
func ExampleCheck() {
	dir, err := os.MkdirTemp("", "limits")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	text := "# what the disk takes\nmyapp/jobs: {max_childen: 64}\n"
	file := filepath.Join(dir, "limits.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{Logger: slog.New(slog.DiscardHandler)},
		headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(16)))
	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer app.Stop(context.Background())

	_, err = limitfile.Check(file, app.Tree())
	fmt.Println(strings.TrimPrefix(err.Error(), dir+string(filepath.Separator)))
	// Output:
	// limits.yaml:2:14: myapp/jobs has no limit "max_childen"; did you mean max_children? (there are max_children)
	//   1 | # what the disk takes
	// > 2 | myapp/jobs: {max_childen: 64}
	//     |              ^
}
