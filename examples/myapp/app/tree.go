package app

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
	"github.com/headcount-go/headcount/examples/myapp/internal/inside"
	"github.com/headcount-go/headcount/examples/myapp/internal/jobs"
	"github.com/headcount-go/headcount/examples/myapp/internal/store"
	"github.com/headcount-go/headcount/examples/myapp/internal/users"
	"github.com/headcount-go/headcount/examples/myapp/internal/web"
	"github.com/headcount-go/headcount/limitfile"
	"github.com/headcount-go/headcount/metrics/prom"
)

// The classes of users. New ones may fill newShare of each limit; what is left is headroom for those who are proven.
const (
	newUser    headcount.Class = 0
	provenUser headcount.Class = 1
	newShare                   = 0.8
)

func class(proven bool) headcount.Class {
	if proven {
		return provenUser
	}
	return newUser
}

// tree builds the whole service:
//
//	myapp (rest_for_one)
//	├── limits    keeps the limits as a file says, with -limits
//	├── metrics   the endpoint for Prometheus, with -metrics-addr
//	├── health    the endpoint for probes, with -health-addr
//	├── store     the file of jobs
//	├── workers   jobs that run
//	├── resume    takes up the jobs that a stop or a crash has interrupted
//	├── users     sessions and queues, by user
//	├── web       the endpoint
//	│   ├── requests  requests in flight, by user
//	│   └── conns     connections, by client
//	└── ready     tells where the service listens, and that it is ready
//
// Each child needs those above it. If the store fails, everything below it is stopped in reverse order and comes back in
// order; if the web endpoint fails, only it does.
func tree(c config, log *slog.Logger, reload <-chan os.Signal, listening func(net.Addr)) (*headcount.Supervisor, error) {
	signer, err := auth.NewSigner(c.secret)
	if err != nil {
		return nil, err
	}
	if c.unlimited { // the endpoint observes then: see endpointOptions
		c = c.withoutLimits()
		log.Warn("all limits are switched off")
	}
	counts := new(inside.Counts)
	db := store.New(filepath.Join(c.data, "jobs.db"), store.Limits{
		Jobs: c.storedJobs, JobsPerUser: c.storedPerUser, Bytes: c.storedBytes, KeepFor: c.storedFor,
	}, log)
	workers := headcount.NewDynamicSupervisor("workers", headcount.MaxChildren(c.maxJobs), c.workerOptions()...)
	sessions := headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(c.maxUsers), headcount.MaxPerKey(c.maxPerUser),
		c.options(c.usersBytes(), c.stopWithin/10)...)

	pool := jobs.New(jobs.Config{
		Store: db, Workers: workers, Counts: counts, Class: class, Log: log, Tries: c.jobTries, Within: c.jobWithin,
		Limits: jobs.Limits{Pixels: c.maxPixels, Width: c.maxWidth, Result: c.maxResult, Chaos: c.chaos},
	})
	front, err := c.endpointOptions(log)
	if err != nil {
		return nil, err
	}
	server := web.New(web.Config{
		Addr: c.addr, Options: front, Rooms: c.rooms(), HealthAddr: c.healthAddr, AddrFile: c.addrFile,
		Limits: web.Limits{
			Body: int64(c.maxBody), Text: c.maxText, WriteWithin: c.writeWithin, PollWithin: c.pollWithin, PingEvery: c.pingEvery,
			Websocket: c.websocket(),
		},
		Jobs: pool, Store: db, Signer: signer,
		Users: users.New(users.Config{
			Supervisor: sessions, Counts: counts, Room: c.userQueue, Idle: c.queueIdle, Session: c.sessionWithin, Class: class,
		}),
		Counts: counts, Class: class, Chaos: c.chaos, Log: log, Listening: listening,
	})
	children := []headcount.Specifier{
		headcount.ChildSpec{Name: "store", Run: db.Run, AwaitReady: true, ReadyWithin: time.Minute, Shutdown: c.stopWithin / 10},
		workers,
		headcount.ChildSpec{Name: "resume", Run: pool.Resume, Restart: headcount.Transient, AwaitReady: true, Shutdown: c.stopWithin / 10},
		sessions,
		server.Endpoint,
		headcount.ChildSpec{Name: "ready", Run: server.Announce, AwaitReady: true, Shutdown: c.stopWithin / 20},
	}
	if server.Health != nil { // the first up, so that it can say that the rest is not, and the last down
		children = append([]headcount.Specifier{server.Health}, children...)
	}
	registry := prometheus.NewRegistry()
	if c.metricsAddr != "" {
		children = append([]headcount.Specifier{metricsEndpoint(c.metricsAddr, registry, log)}, children...)
	}
	if c.limitsFile != "" { // first of all: its limits hold before anything can be refused
		file := limitfile.New("limits", c.limitsFile, limitfile.Config{Reload: reload, Logger: log})
		children = append([]headcount.Specifier{file}, children...)
	}
	root := headcount.NewSupervisor("myapp",
		headcount.SupervisorConfig{
			Strategy:  headcount.RestForOne,
			Intensity: headcount.Intensity{Restarts: 5, Within: time.Minute},
			Logger:    log,
		},
		children...,
	)
	registry.MustRegister(collectors.NewGoCollector(), prom.NewCollector(prom.Config{}, root))
	return root, nil
}

// The allowances of all children together are below stopWithin, so that whoever is stuck is named, not only overrun.

func (c config) workerOptions() []headcount.Option {
	opts := append(c.options(c.workersBytes(), c.stopWithin/5),
		headcount.WithBackoff(headcount.Backoff{Min: 200 * time.Millisecond, Max: 10 * time.Second, Stable: time.Minute}))
	if !c.unlimited && c.jobQueue > 0 {
		opts = append(opts, headcount.Wait(c.jobQueue, c.jobWait))
	}
	return opts
}

func (c config) options(bytes int64, allowance time.Duration) []headcount.Option {
	opts := []headcount.Option{headcount.ShutdownWithin(allowance)}
	if !c.unlimited {
		opts = append(opts, headcount.Classes(newShare, 1), headcount.MaxBytes(bytes))
	}
	return opts
}

// withoutLimits is the service as it is written without Headcount: everything that comes is started. The demo shows how
// that ends.
func (c config) withoutLimits() config {
	for _, limit := range []*int{&c.maxUsers, &c.maxPerUser, &c.maxRequests, &c.maxJobs, &c.storedJobs, &c.storedPerUser} {
		*limit = headcount.Unlimited
	}
	c.storedBytes, c.writeWithin = 0, 0
	return c
}
