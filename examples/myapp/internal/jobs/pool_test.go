package jobs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/examples/myapp/internal/inside"
	"github.com/headcount-go/headcount/examples/myapp/internal/store"
)

const tries = 3

// bundle is a pool with all that it runs on, for one life of a process.
type bundle struct {
	*Pool
	root *headcount.Supervisor
}

// setup starts a pool on a file, without taking up what is in it.
func setup(t *testing.T, path string, workers int, opts ...headcount.Option) *bundle {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	db := store.New(path, store.Limits{Jobs: 100, JobsPerUser: 100}, log)
	opts = append(opts, headcount.WithBackoff(headcount.Backoff{Min: time.Millisecond, Max: time.Millisecond, Stable: time.Hour}))
	b := &bundle{Pool: New(Config{
		Store: db, Workers: headcount.NewDynamicSupervisor("workers", headcount.MaxChildren(workers), opts...),
		Counts: new(inside.Counts), Limits: limits, Tries: tries, Within: time.Minute, Log: log,
		Class: func(bool) headcount.Class { return 0 },
	})}
	b.root = headcount.NewSupervisor("test", headcount.SupervisorConfig{Logger: log},
		headcount.ChildSpec{Name: "store", Run: db.Run, AwaitReady: true}, b.Workers)
	if err := b.root.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.stop(t) })
	return b
}

func (b *bundle) stop(t *testing.T) {
	t.Helper()
	if err := b.root.Stop(context.Background()); err != nil && !errors.Is(err, headcount.ErrNotRunning) {
		t.Error(err)
	}
}

func (b *bundle) submit(t *testing.T, req Request) string {
	t.Helper()
	id, err := b.Submit(t.Context(), "ada", false, req)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// settle waits until no job runs or waits for another try.
func (b *bundle) settle(t *testing.T) {
	t.Helper()
	infos, _ := b.Workers.Children(headcount.Query{Limit: 100})
	for _, info := range infos {
		if child, ok := b.Workers.Lookup(info.ID); ok {
			_ = child.Wait(t.Context()) // how it ended is in the store
		}
	}
}

func (b *bundle) get(t *testing.T, id string) store.Job {
	t.Helper()
	job, err := b.Store.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	return job
}

func (b *bundle) wantEnd(t *testing.T, id string, state store.State, tries int, text string) {
	t.Helper()
	job := b.get(t, id)
	if job.State != state || job.Tries != tries || !strings.Contains(job.Error, text) || (text == "" && job.Error != "") {
		t.Errorf("%s after %d tries with error %q, want %s, %d, %q", job.State, job.Tries, job.Error, state, tries, text)
	}
}

func file(t *testing.T) string { return filepath.Join(t.TempDir(), "jobs.db") }

func TestHashIsDone(t *testing.T) {
	b := setup(t, file(t), 2)
	id := b.submit(t, Request{Kind: Hash, Data: []byte("hi")})
	b.settle(t)
	b.wantEnd(t, id, store.Done, 1, "")
	const want = `{"sha256":"8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4","bytes":2}`
	if got := string(b.get(t, id).Result); got != want {
		t.Errorf("result %s", got)
	}
}

func TestResizeKeepsTheProportions(t *testing.T) {
	b := setup(t, file(t), 2)
	id := b.submit(t, Request{Kind: Resize, Data: picture(t, 300, 200), Width: 30})
	b.settle(t)
	b.wantEnd(t, id, store.Done, 1, "")
	var got resized
	if err := json.Unmarshal(b.get(t, id).Result, &got); err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(got.PNG))
	if err != nil {
		t.Fatal(err)
	}
	if size := img.Bounds().Size(); size.X != 30 || size.Y != 20 || got.Width != 30 || got.Height != 20 {
		t.Errorf("the picture is %v, the answer says %d x %d", size, got.Width, got.Height)
	}
	if held := b.Workers.Counts().Bytes; held != 0 {
		t.Errorf("%d bytes are still charged", held)
	}
}

func TestBrokenPictureFailsWithoutAnotherTry(t *testing.T) {
	b := setup(t, file(t), 2)
	whole := picture(t, 300, 200)
	id := b.submit(t, Request{Kind: Resize, Data: whole[:len(whole)-30], Width: 30})
	b.settle(t)
	b.wantEnd(t, id, store.Failed, 1, "not a PNG")
}

func TestFailingJobIsTriedAgain(t *testing.T) {
	b := setup(t, file(t), 2)
	works := b.submit(t, Request{Kind: Hash, Data: []byte("hi"), Fails: tries - 1})
	fails := b.submit(t, Request{Kind: Hash, Data: []byte("hi"), Fails: tries})
	b.settle(t)
	b.wantEnd(t, works, store.Done, tries, "")
	b.wantEnd(t, fails, store.Failed, tries, "asked to fail")
	if n := b.Workers.Counts().Running; n != 0 {
		t.Errorf("%d slots are held", n)
	}
}

func TestCrashingJobEndsByItsRestartType(t *testing.T) {
	b := setup(t, file(t), 4)
	permanent := b.submit(t, Request{Kind: Crash, Restart: "permanent"})
	transient := b.submit(t, Request{Kind: Crash, Restart: "transient"})
	temporary := b.submit(t, Request{Kind: Crash, Restart: "temporary"})
	mended := b.submit(t, Request{Kind: Crash, Fails: 1})
	b.settle(t)
	b.wantEnd(t, permanent, store.Failed, tries, "panic")
	b.wantEnd(t, transient, store.Failed, tries, "panic")
	b.wantEnd(t, temporary, store.Failed, 1, "panic")
	b.wantEnd(t, mended, store.Done, 2, "")
}

func TestSlowJobIsAFailedTry(t *testing.T) {
	b := setup(t, file(t), 2)
	b.Within = time.Millisecond
	id := b.submit(t, Request{Kind: Sleep, Millis: 10_000})
	b.settle(t)
	b.wantEnd(t, id, store.Failed, tries, "not done within 1ms")
}

func TestRefusedJobLeavesNothing(t *testing.T) {
	b := setup(t, file(t), 1)
	b.submit(t, Request{Kind: Sleep, Millis: 10_000})
	if _, err := b.Submit(t.Context(), "ada", false, Request{Kind: Hash, Data: []byte("hi")}); !errors.Is(err, headcount.ErrMaxChildren) {
		t.Errorf("%v, want ErrMaxChildren", err)
	}
	if n, err := b.Store.Size(); err != nil || n != 1 {
		t.Errorf("%d jobs are stored (%v), want the one that runs", n, err)
	}
}

func TestJobThatCannotBeStoredIsNotStarted(t *testing.T) {
	b := setup(t, file(t), 2)
	if err := b.root.TerminateChild(t.Context(), "store"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Submit(t.Context(), "ada", false, Request{Kind: Crash}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("%v, want store.ErrClosed", err)
	}
	if c := b.Workers.Counts(); c.Running != 0 || c.Restarts != 0 {
		t.Errorf("%d slots held, %d restarts, want none", c.Running, c.Restarts)
	}
}

func TestInterruptedJobsAreTakenUpAgain(t *testing.T) {
	path := file(t)
	b := setup(t, path, 3)
	slow := b.submit(t, Request{Kind: Sleep, Millis: 200})
	resize := b.submit(t, Request{Kind: Resize, Data: picture(t, 30, 20), Width: 3, Fails: 1})
	done := b.submit(t, Request{Kind: Hash, Data: []byte("hi")})
	b.stop(t)

	b = setup(t, path, 3)
	before := b.get(t, done)
	if job := b.get(t, slow); job.State != store.Queued || job.Tries != 0 {
		t.Errorf("stopped job is %s after %d tries, want queued and 0", job.State, job.Tries)
	}
	if err := b.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.settle(t)
	b.wantEnd(t, slow, store.Done, 1, "")
	b.wantEnd(t, resize, store.Done, 2, "")
	if before.State == store.Done && string(b.get(t, done).Result) != string(before.Result) {
		t.Error("a finished job was changed")
	}
}

func TestResumeWaitsForRoom(t *testing.T) {
	path := file(t)
	b := setup(t, path, 5)
	var ids []string
	for range 5 {
		ids = append(ids, b.submit(t, Request{Kind: Sleep, Millis: 30}))
	}
	b.stop(t)
	b = setup(t, path, 1)
	if err := b.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.settle(t)
	for _, id := range ids {
		if job := b.get(t, id); job.State != store.Done {
			t.Errorf("a job is %s", job.State)
		}
	}
	if peak := b.Counts.Jobs.Peak(); peak != 1 {
		t.Errorf("%d jobs ran at once, 1 may", peak)
	}
}

func TestJobThatEndedTheProcessTooOftenIsGivenUp(t *testing.T) {
	b := setup(t, file(t), 1)
	job := store.Job{ID: store.NewID(), User: "ada", Kind: Hash, Request: json.RawMessage(`{"kind":"hash"}`), State: store.Running, Tries: tries}
	if err := b.Store.Put(job, []byte("hi")); err != nil {
		t.Fatal(err)
	}
	if err := b.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wantEnd(t, job.ID, store.Failed, tries, "interrupted")
}

func TestMemoryOfPicturesIsBounded(t *testing.T) {
	b := setup(t, file(t), 2, headcount.MaxBytes(10_000))
	id := b.submit(t, Request{Kind: Resize, Data: picture(t, 300, 200), Width: 30})
	b.settle(t)
	b.wantEnd(t, id, store.Failed, tries, "max_bytes")
}
