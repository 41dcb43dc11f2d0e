package trial

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/headcount-go/headcount/internal/attack"
	"github.com/headcount-go/headcount/internal/attack/target"
)

// Env is the environment variable that makes a program an attacker; see Main.
const Env = "HEADCOUNT_ATTACK_ATTACKER"

// orders is what an attacker is told, as the value of Env.
type orders struct {
	Attack string
	Addr   string
	Cert   []byte
	Budget attack.Budget
}

// Main does the work of this process, and ends it, if it was started to be a target or an attacker. Otherwise it
// returns at once. A program that uses this package calls it first.
//
// Attackers have a process of their own so that neither their memory nor their goroutines delay the honest users, who
// are measured in the process that starts them.
func Main() {
	target.Main()
	raw := os.Getenv(Env)
	if raw == "" {
		return
	}
	// Not to outlive whoever gave the orders and holds the other end.
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	stats, err := obey(ctx, raw)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(stats)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func obey(ctx context.Context, raw string) (attack.Stats, error) {
	var o orders
	if err := json.Unmarshal([]byte(raw), &o); err != nil {
		return attack.Stats{}, err
	}
	a, err := attack.ByName(o.Attack)
	if err != nil {
		return attack.Stats{}, err
	}
	lowerPriority()
	t := attack.Target{Addr: o.Addr}
	if len(o.Cert) > 0 {
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(o.Cert) {
			return attack.Stats{}, errors.New("the certificate of the target cannot be read")
		}
		t.TLS = &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"}
	}
	return a.Run(ctx, t, o.Budget)
}

// runAttacker attacks from another process and returns when that has ended, with the processor time that it used.
func runAttacker(ctx context.Context, a attack.Attack, p *target.Process, b attack.Budget) (stats attack.Stats, used time.Duration, err error) {
	self, err := os.Executable()
	if err != nil {
		return stats, 0, err
	}
	raw, err := json.Marshal(orders{Attack: a.Name, Addr: p.Addr, Cert: p.Cert, Budget: b})
	if err != nil {
		return stats, 0, err
	}
	var out, words bytes.Buffer
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), Env+"="+string(raw))
	cmd.Stdout, cmd.Stderr = &out, &words
	ownGroup(cmd)
	lifeline, err := cmd.StdinPipe()
	if err != nil {
		return stats, 0, err
	}
	defer lifeline.Close()
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return stats, 0, nil // called off: its target has fallen
		}
		return stats, 0, fmt.Errorf("attacker: %w: %s", err, words.String())
	}
	err = json.Unmarshal(out.Bytes(), &stats)
	return stats, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), err
}
