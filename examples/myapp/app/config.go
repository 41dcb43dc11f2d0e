package app

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/auth"
)

const (
	envPrefix = "MYAPP_"
	// spareFiles are the descriptors that are not connections: the store, the log, the listener, the runtime.
	spareFiles = 64
	// unknownFiles is assumed where the system does not tell: the smallest limit that is common.
	unknownFiles = 1024
	mebibyte     = 1 << 20
)

// config is everything that can be set.
type config struct {
	addr, addrFile, healthAddr, data, secret string
	chaos, unlimited                         bool
	stopWithin                               time.Duration

	// What an operator has beside the service.
	metricsAddr, pageAddr, pageAddrFile, limitsFile, alertWebhook string

	// The limits of the tree.
	maxUsers, maxPerUser, maxRequests, maxJobs, jobQueue int
	jobWait                                              time.Duration

	// What one job, message or session may cost.
	jobTries, maxPixels, maxWidth, maxResult, maxText, userQueue int
	jobWithin, queueIdle, sessionWithin                          time.Duration

	// The limits of the network side.
	maxConns, connsPerClient, connsPerPrefix, requestsPerClient, requestsPerUser                      int
	connRate, connBurst, requestRate, requestBurst, maxResets, minReadRate, minWriteRate, messageRate int
	maxHeader, maxBody                                                                                int
	handshakeWithin, headerWithin, bodyWithin, stall, writeWithin, idleWithin, pollWithin             time.Duration
	pingEvery                                                                                         time.Duration

	// How clients come in.
	trustedProxies, clientHeader, tlsCert, tlsKey string
	proxyProtocol, h2c                            bool

	// The limits of memory and disk.
	maxMemory                              int64
	storedJobs, storedPerUser, storedBytes int
	storedFor                              time.Duration
}

// defaults fits the limits to a machine, so that all of them can be reached together without exhausting it.
func defaults(m machine) config {
	c := config{
		addr: "127.0.0.1:8080", data: "data", stopWithin: 25 * time.Second,
		maxPerUser: 16, jobWait: 2 * time.Second,
		jobTries: 4, maxWidth: 1024, maxResult: mebibyte / 2, maxText: 4096, userQueue: 64,
		jobWithin: time.Minute, queueIdle: 10 * time.Minute, sessionWithin: 24 * time.Hour,
		connRate: 20, connBurst: 100, requestRate: 200, requestBurst: 500, maxResets: 200, minReadRate: 1024, minWriteRate: 1024, messageRate: 100,
		maxHeader: 16 << 10, maxBody: 4 * mebibyte,
		handshakeWithin: 5 * time.Second, headerWithin: 5 * time.Second, bodyWithin: time.Minute, stall: 5 * time.Second,
		writeWithin: 10 * time.Second,
		idleWithin:  time.Minute, pollWithin: time.Minute, pingEvery: 20 * time.Second,
		storedJobs: 1000, storedPerUser: 100, storedFor: 7 * 24 * time.Hour,
	}
	c.maxMemory = max(m.memory/2, 64*mebibyte)
	// A connection with a session costs some 64 KiB: stack, buffers of both ends, and what the kernel holds.
	c.maxConns = clamp(min(m.files-spareFiles, int(c.maxMemory/4/(64<<10))), 64, 100_000)
	// One client is a household or an office, one prefix a provider: neither may have all of it.
	c.connsPerPrefix = clamp(c.maxConns/4, 16, 1024)
	c.connsPerClient = clamp(c.connsPerPrefix/2, 16, 64)
	c.requestsPerClient = 2 * c.connsPerClient
	c.requestsPerUser = 2 * c.maxPerUser // its sessions, and as many that do not stay
	c.maxUsers = c.maxConns
	c.maxRequests = clamp(64*m.cores, 64, 4096)
	c.maxJobs = max(2, 2*m.cores)
	// A job that waits for room holds a request: with a longer queue, jobs could hold all requests there may be.
	c.jobQueue = c.maxRequests / 4
	c.maxPixels = clamp(int(c.workersBytes()/int64(c.maxJobs)/16), mebibyte, 16*mebibyte)
	c.storedBytes = 2 * (c.storedJobs*c.maxResult + (c.maxJobs+c.jobQueue)*c.maxBody)
	return c
}

func clamp(n, low, high int) int { return max(low, min(n, high)) }

// The shares of the memory: what is left is for the garbage collector and everything else.

func (c config) requestsBytes() int64 { return c.maxMemory / 4 }
func (c config) workersBytes() int64  { return c.maxMemory / 4 }
func (c config) usersBytes() int64    { return c.maxMemory / 8 }

// flags describes all settings; c holds the defaults.
func (c *config) flags(stderr io.Writer) *flag.FlagSet {
	fs := flag.NewFlagSet("myapp serve", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&c.addr, "addr", c.addr, "`address` to listen on; port 0 takes a free one")
	fs.StringVar(&c.addrFile, "addr-file", c.addrFile, "`file` to write the address to, once it is known")
	fs.StringVar(&c.healthAddr, "health-addr", c.healthAddr, "another `address` for /healthz and /readyz, such as 127.0.0.1:8081, apart from all limits of -addr")
	fs.StringVar(&c.metricsAddr, "metrics-addr", c.metricsAddr, "another `address` for /metrics, such as 127.0.0.1:9464, apart from all limits of -addr")
	fs.StringVar(&c.pageAddr, "page-addr", c.pageAddr, "another `address` for the page that shows and changes the limits, such as 127.0.0.1:7070; this machine's own only")
	fs.StringVar(&c.pageAddrFile, "page-addr-file", c.pageAddrFile, "`file` to write the address of the page to, once it is known")
	fs.StringVar(&c.limitsFile, "limits", c.limitsFile, "`file` with limits by path, such as limits.yaml; read again when it changes, and on SIGHUP")
	fs.StringVar(&c.alertWebhook, "alert-webhook", c.alertWebhook, "`URL` that alerts are posted to, beside the log, as an Alertmanager posts them")
	fs.StringVar(&c.data, "data", c.data, "`directory` of the job store")
	fs.StringVar(&c.secret, "secret", c.secret, "signs the tokens, at least 16 bytes; better set in the environment, where others do not see it")
	fs.DurationVar(&c.stopWithin, "stop-within", c.stopWithin, "time for an orderly stop")
	fs.BoolVar(&c.chaos, "chaos", c.chaos, "allow jobs that crash and hang, and GET /debug/inside")
	fs.BoolVar(&c.unlimited, "unlimited", c.unlimited, "switch the limits off, to see what they are good for; never in earnest")

	fs.IntVar(&c.maxUsers, "max-users", c.maxUsers, "sessions and queues of all users together")
	fs.IntVar(&c.maxPerUser, "max-per-user", c.maxPerUser, "sessions and queue of one user")
	fs.IntVar(&c.maxRequests, "max-requests", c.maxRequests, "short requests in flight")
	fs.IntVar(&c.maxJobs, "max-jobs", c.maxJobs, "jobs that run at once")
	fs.IntVar(&c.jobQueue, "job-queue", c.jobQueue, "jobs that wait until one may run")
	fs.DurationVar(&c.jobWait, "job-wait", c.jobWait, "longest such wait")

	fs.IntVar(&c.jobTries, "job-tries", c.jobTries, "times a job is tried")
	fs.DurationVar(&c.jobWithin, "job-within", c.jobWithin, "time of one try")
	fs.IntVar(&c.maxPixels, "max-pixels", c.maxPixels, "pixels of a picture, decoded")
	fs.IntVar(&c.maxWidth, "max-width", c.maxWidth, "width of a resized picture")
	fs.IntVar(&c.maxResult, "max-result", c.maxResult, "`bytes` of a job's result")
	fs.IntVar(&c.maxText, "max-text", c.maxText, "`bytes` of a message")
	fs.IntVar(&c.userQueue, "user-queue", c.userQueue, "messages in one user's queue")
	fs.DurationVar(&c.queueIdle, "queue-idle", c.queueIdle, "time after which a queue that nobody uses is given up")
	fs.DurationVar(&c.sessionWithin, "session-within", c.sessionWithin, "longest session, whatever its token says")

	limit := func(p *int, name, usage string) { fs.Var((*count)(p), name, usage+`, or "unlimited"`) }
	limit(&c.maxConns, "max-conns", "`number` of connections")
	limit(&c.connsPerClient, "max-conns-per-client", "`number` of connections of one client: an IPv4 address, or an IPv6 /64")
	limit(&c.connsPerPrefix, "max-conns-per-prefix", "`number` of connections of its neighbourhood: an IPv4 /24, or an IPv6 /48")
	limit(&c.requestsPerClient, "max-requests-per-client", "`number` of requests in flight of one client, those that stay included")
	limit(&c.requestsPerUser, "max-requests-per-user", "`number` of requests in flight of one user, those that stay included")
	limit(&c.connRate, "conn-rate", "`number` of new connections of a client per second")
	fs.IntVar(&c.connBurst, "conn-burst", c.connBurst, "new connections of a client that may come at once")
	limit(&c.requestRate, "request-rate", "`number` of requests of a client per second")
	fs.IntVar(&c.requestBurst, "request-burst", c.requestBurst, "requests of a client that may come at once")
	limit(&c.maxResets, "max-resets", "`number` of HTTP/2 streams of a connection that may be reset within ten seconds")

	fs.IntVar(&c.maxHeader, "max-header", c.maxHeader, "`bytes` of a request's header")
	fs.IntVar(&c.maxBody, "max-body", c.maxBody, "`bytes` of a request's body")
	fs.IntVar(&c.minReadRate, "min-read-rate", c.minReadRate, "`bytes` per second that a body must come with")
	fs.IntVar(&c.minWriteRate, "min-write-rate", c.minWriteRate, "`bytes` per second that an answer must be taken with")
	fs.IntVar(&c.messageRate, "message-rate", c.messageRate, "messages per second over a websocket, and twice as many at once")
	fs.DurationVar(&c.stall, "stall", c.stall, "time that a client may be behind these rates")
	fs.DurationVar(&c.handshakeWithin, "handshake-within", c.handshakeWithin, "time for a TLS handshake, or a PROXY header")
	fs.DurationVar(&c.headerWithin, "header-within", c.headerWithin, "time for a header to come in")
	fs.DurationVar(&c.bodyWithin, "body-within", c.bodyWithin, "time for a body to come in")
	fs.DurationVar(&c.writeWithin, "write-within", c.writeWithin, "time for a client to take an answer or an event")
	fs.DurationVar(&c.idleWithin, "idle-within", c.idleWithin, "time between two requests of a connection")
	fs.DurationVar(&c.pollWithin, "poll-within", c.pollWithin, "longest wait of a poll")
	fs.DurationVar(&c.pingEvery, "ping-every", c.pingEvery, "time between signs of life; a websocket must answer until the next")

	fs.StringVar(&c.trustedProxies, "trusted-proxies", c.trustedProxies, "`addresses` and prefixes of proxies that are believed who their clients are, with commas between them")
	fs.StringVar(&c.clientHeader, "client-header", c.clientHeader, "`header` by which they say it: X-Forwarded-For, if left empty, or Forwarded")
	fs.BoolVar(&c.proxyProtocol, "proxy-protocol", c.proxyProtocol, "they say it by the PROXY protocol")
	fs.StringVar(&c.tlsCert, "tls-cert", c.tlsCert, "`file` with the certificate; with it, TLS and HTTP/2 are spoken")
	fs.StringVar(&c.tlsKey, "tls-key", c.tlsKey, "`file` with its key")
	fs.BoolVar(&c.h2c, "h2c", c.h2c, "speak HTTP/2 without TLS too, to a proxy that does")

	fs.Int64Var(&c.maxMemory, "max-memory", c.maxMemory, "`bytes` that bodies, jobs and queues may take, as they declare")
	fs.IntVar(&c.storedJobs, "stored-jobs", c.storedJobs, "jobs kept for all users together")
	fs.IntVar(&c.storedPerUser, "stored-per-user", c.storedPerUser, "jobs kept for one user")
	fs.IntVar(&c.storedBytes, "stored-bytes", c.storedBytes, "`bytes` of the job store")
	fs.DurationVar(&c.storedFor, "stored-for", c.storedFor, "time that a finished job is kept")
	return fs
}

// readConfig takes defaults, then the environment, then the arguments.
func readConfig(args []string, lookup func(string) (string, bool), m machine, stderr io.Writer) (config, error) {
	c := defaults(m)
	fs := c.flags(stderr)
	if err := setFromEnv(fs, lookup); err != nil {
		return c, err
	}
	if err := fs.Parse(args); err != nil {
		return c, errUsage{err}
	}
	if fs.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	return c, c.check(m)
}

// errUsage is an error that the flag package has told already.
type errUsage struct{ error }

// setFromEnv sets each flag for which there is a variable: max-users by MYAPP_MAX_USERS.
func setFromEnv(fs *flag.FlagSet, lookup func(string) (string, bool)) (err error) {
	fs.VisitAll(func(f *flag.Flag) {
		name := envPrefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value, found := lookup(name)
		if !found {
			return
		}
		if setErr := f.Value.Set(value); setErr != nil {
			err = errors.Join(err, fmt.Errorf("%s=%q: %w", name, value, setErr))
		}
	})
	return err
}

// check finds what cannot work, all of it at once.
func (c config) check(m machine) error {
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if len(c.secret) < auth.MinSecret {
		problem("-secret (or %sSECRET) must have at least %d bytes", envPrefix, auth.MinSecret)
	}
	for name, n := range map[string]int{"max-users": c.maxUsers, "max-per-user": c.maxPerUser, "max-requests": c.maxRequests, "max-jobs": c.maxJobs, "job-queue": c.jobQueue} {
		if n < 0 || n > headcount.MaxLimit {
			problem("-%s is %d: it must be 0 to %d", name, n, headcount.MaxLimit)
		}
	}
	for name, n := range map[string]int{
		"max-conns": c.maxConns, "max-conns-per-client": c.connsPerClient, "max-conns-per-prefix": c.connsPerPrefix,
		"max-requests-per-client": c.requestsPerClient, "max-requests-per-user": c.requestsPerUser,
		"conn-rate": c.connRate, "conn-burst": c.connBurst, "request-rate": c.requestRate, "request-burst": c.requestBurst,
		"max-resets": c.maxResets, "min-read-rate": c.minReadRate, "min-write-rate": c.minWriteRate, "message-rate": c.messageRate, "job-tries": c.jobTries, "max-pixels": c.maxPixels, "max-width": c.maxWidth, "max-result": c.maxResult,
		"max-text": c.maxText, "user-queue": c.userQueue, "max-header": c.maxHeader, "max-body": c.maxBody,
		"stored-jobs": c.storedJobs, "stored-per-user": c.storedPerUser, "stored-bytes": c.storedBytes,
	} {
		if n < 1 {
			problem("-%s is %d: it must be at least 1", name, n)
		}
	}
	for name, d := range map[string]time.Duration{
		"stop-within": c.stopWithin, "job-wait": c.jobWait, "job-within": c.jobWithin, "queue-idle": c.queueIdle, "session-within": c.sessionWithin,
		"handshake-within": c.handshakeWithin, "stall": c.stall, "header-within": c.headerWithin, "body-within": c.bodyWithin, "write-within": c.writeWithin, "idle-within": c.idleWithin,
		"poll-within": c.pollWithin, "ping-every": c.pingEvery, "stored-for": c.storedFor,
	} {
		if d <= 0 {
			problem("-%s is %v: it must be above 0", name, d)
		}
	}
	if !c.unlimited && c.maxConns != headcount.Unlimited && c.maxConns > m.files-spareFiles {
		problem("-max-conns is %d, but the process may open %d files: allow it more (ulimit -n), or take at most %d", c.maxConns, m.files, m.files-spareFiles)
	}
	if c.limitsFile != "" && c.unlimited {
		problem("-limits and -unlimited contradict each other")
	}
	if c.pageAddrFile != "" && c.pageAddr == "" {
		problem("-page-addr-file is given, but no -page-addr")
	}
	if u, err := url.Parse(c.alertWebhook); c.alertWebhook != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		problem("-alert-webhook is no http or https URL") // which is not told: it may hold a secret
	}
	if 2*int64(c.maxBody) > c.requestsBytes() {
		problem("-max-body is %d, too much for a quarter of -max-memory %d: a body counts twice", c.maxBody, c.maxMemory)
	}
	if 12*int64(c.maxPixels) > c.workersBytes() {
		problem("-max-pixels is %d, too much for a quarter of -max-memory %d: a pixel counts 12 bytes", c.maxPixels, c.maxMemory)
	}
	return errors.Join(problems...)
}
