// Package leak finds goroutines that tests have left behind, for packages of the root module, which has no requirements.
// The other modules use goleak.
package leak

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Main runs the tests and exits. If they pass but have left goroutines of this project behind, it shows them and fails.
// What is still on its way out gets some time.
func Main(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if left := leaked(5 * time.Second); len(left) > 0 {
			fmt.Fprintf(os.Stderr, "%d goroutines were left behind:\n\n%s\n", len(left), strings.Join(left, "\n\n"))
			code = 1
		}
	}
	os.Exit(code)
}

// leaked gives the goroutines that run code of this project, once there is none or the time is over.
func leaked(within time.Duration) (left []string) {
	for deadline := time.Now().Add(within); ; time.Sleep(10 * time.Millisecond) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		left = nil
		for i, stack := range strings.Split(string(stacks), "\n\n") {
			own := i == 0 // the goroutine that asks comes first
			if !own && strings.Contains(stack, "headcount-go/headcount") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 || time.Now().After(deadline) {
			return left
		}
	}
}
