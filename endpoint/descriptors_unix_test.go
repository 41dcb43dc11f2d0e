//go:build unix

package endpoint

import (
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
)

// Out of descriptors, a listener must go on accepting and closing, and serve again once there are some. The test is a
// process of its own, with few descriptors.
func TestOutOfDescriptorsTheListenerGoesOn(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux")
	}
	if os.Getenv("HEADCOUNT_FEW_DESCRIPTORS") == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestOutOfDescriptorsTheListenerGoesOn$", "-test.v")
		cmd.Env = append(os.Environ(), "HEADCOUNT_FEW_DESCRIPTORS=1")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	const few = 64
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: few, Max: few}); err != nil {
		t.Fatal(err)
	}
	e := start(t, hello, Limits{Conns: 1000, ConnsPerClient: 1000, Descriptors: 8}, Rates{Conns: 1000, ConnsBurst: 1000})
	// All sockets of this test are in this process too: what is left to the server is little, and then nothing.
	var open []net.Conn
	for {
		c, err := net.Dial("tcp", addr(e))
		if err != nil {
			break
		}
		open = append(open, c)
		if len(open) > few {
			t.Fatal("there is no end to the descriptors")
		}
	}
	eventually(t, "the reserve to be defended", func() bool { return e.Gate("descriptors").Snapshot().Refused > 0 })
	for _, c := range open {
		c.Close()
	}
	eventually(t, "the end of all connections", func() bool { return e.Conns().Counts().Running == 0 })
	// Some of those that were closed may wait in the kernel still, and take the last descriptors for a moment.
	http := client(t)
	eventually(t, "an answer", func() bool {
		resp, err := http.Get("http://" + addr(e))
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		return err == nil && string(body) == "hello"
	})
}
