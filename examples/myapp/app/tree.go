package app

import (
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
	"github.com/headcount-go/headcount/examples/myapp/internal/inside"
	"github.com/headcount-go/headcount/examples/myapp/internal/jobs"
	"github.com/headcount-go/headcount/examples/myapp/internal/store"
	"github.com/headcount-go/headcount/examples/myapp/internal/users"
	"github.com/headcount-go/headcount/examples/myapp/internal/web"
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
//	├── store     the file of jobs
//	├── workers   jobs that run
//	├── resume    takes up the jobs that a stop or a crash has interrupted
//	├── users     sessions and queues, by user
//	├── requests  short requests in flight
//	└── web       the HTTP server
//
// Each child needs those above it. If the store fails, everything is stopped in reverse order and comes back in order;
// if the web server fails, only it does.
func tree(c config, log *slog.Logger, listening func(net.Addr)) (*headcount.Supervisor, error) {
	signer, err := auth.NewSigner(c.secret)
	if err != nil {
		return nil, err
	}
	if c.unlimited {
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
	requests := headcount.NewDynamicSupervisor("requests", headcount.MaxChildren(c.maxRequests),
		c.options(c.requestsBytes(), c.stopWithin/10)...)

	pool := jobs.New(jobs.Config{
		Store: db, Workers: workers, Counts: counts, Class: class, Log: log, Tries: c.jobTries, Within: c.jobWithin,
		Limits: jobs.Limits{Pixels: c.maxPixels, Width: c.maxWidth, Result: c.maxResult, Chaos: c.chaos},
	})
	server := web.New(web.Config{
		Addr: c.addr, AddrFile: c.addrFile, Limits: c.webLimits(), Requests: requests, Jobs: pool, Store: db, Signer: signer,
		Users: users.New(users.Config{
			Supervisor: sessions, Counts: counts, Room: c.userQueue, Idle: c.queueIdle, Session: c.sessionWithin, Class: class,
		}),
		Counts: counts, Class: class, Chaos: c.chaos, Log: log, Listening: listening,
	})
	return headcount.NewSupervisor("myapp",
		headcount.SupervisorConfig{
			Strategy:  headcount.RestForOne,
			Intensity: headcount.Intensity{Restarts: 5, Within: time.Minute},
			Logger:    log,
		},
		headcount.ChildSpec{Name: "store", Run: db.Run, AwaitReady: true, ReadyWithin: time.Minute, Shutdown: c.stopWithin / 10},
		workers,
		headcount.ChildSpec{Name: "resume", Run: pool.Resume, Restart: headcount.Transient, AwaitReady: true, Shutdown: c.stopWithin / 10},
		sessions,
		requests,
		headcount.ChildSpec{Name: "web", Run: server.Run, AwaitReady: true, Shutdown: c.stopWithin / 3},
	), nil
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

func (c config) webLimits() web.Limits {
	return web.Limits{
		Conns: c.maxConns, Header: c.maxHeader, Body: int64(c.maxBody), Text: c.maxText,
		HeaderWithin: c.headerWithin, BodyWithin: c.bodyWithin, WriteWithin: c.writeWithin, IdleWithin: c.idleWithin,
		PollWithin: c.pollWithin, PingEvery: c.pingEvery, Drain: c.stopWithin / 4,
	}
}

// withoutLimits is the service as it is written without Headcount: everything that comes is started. The demo shows how
// that ends.
func (c config) withoutLimits() config {
	for _, limit := range []*int{&c.maxUsers, &c.maxPerUser, &c.maxRequests, &c.maxJobs, &c.maxConns, &c.storedJobs, &c.storedPerUser} {
		*limit = headcount.Unlimited
	}
	c.storedBytes = 0
	return c
}
