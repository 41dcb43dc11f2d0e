package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/headcount-go/headcount"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var roomy = Limits{Jobs: 1000, JobsPerUser: 1000}

// open runs the store of a file as it is run in earnest, until stop is called or the test ends.
func open(t *testing.T, path string, limits Limits) (s *Store, stop func()) {
	t.Helper()
	s = New(path, limits, slog.New(slog.DiscardHandler))
	root := headcount.NewSupervisor("test", headcount.SupervisorConfig{Logger: slog.New(slog.DiscardHandler)},
		headcount.ChildSpec{Name: "store", Run: s.Run, AwaitReady: true})
	if err := root.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(func() {
		if err := root.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

func file(t *testing.T) string { return filepath.Join(t.TempDir(), "data", "jobs.db") }

// put stores a running job and returns its id.
func put(t *testing.T, s *Store, user string) string {
	t.Helper()
	job := newJob(user, time.Now())
	if err := s.Put(job, []byte("input")); err != nil {
		t.Fatal(err)
	}
	return job.ID
}

// lastID makes ids of the same millisecond rise, so that "oldest" is certain.
var lastID atomic.Uint32

func newJob(user string, when time.Time) Job {
	var id [idBytes]byte
	putTime(&id, when)
	n := lastID.Add(1)
	id[6], id[7], id[8], id[9] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	return Job{ID: hex.EncodeToString(id[:]), User: user, Kind: "hash", State: Running, Tries: 1}
}

func finish(t *testing.T, s *Store, id string) {
	t.Helper()
	if _, err := s.Update(id, func(j *Job) { j.State = Done }); err != nil {
		t.Error(err)
	}
}

func wantGone(t *testing.T, s *Store, id string) {
	t.Helper()
	if _, err := s.Get(id); !errors.Is(err, ErrNotFound) {
		t.Errorf("job %s is still kept: %v", id, err)
	}
}

func wantKept(t *testing.T, s *Store, id string) {
	t.Helper()
	if _, err := s.Get(id); err != nil {
		t.Errorf("job %s is gone: %v", id, err)
	}
}

func TestJobsSurviveARestart(t *testing.T) {
	path := file(t)
	s, stop := open(t, path, roomy)
	first, second, done := put(t, s, "ada"), put(t, s, "bob"), put(t, s, "ada")
	finish(t, s, done)
	stop()

	s, _ = open(t, path, roomy)
	ids, err := s.Unfinished()
	if err != nil || !slices.Equal(ids, []string{first, second}) {
		t.Errorf("unfinished: %v, %v, want %v", ids, err, []string{first, second})
	}
	job, err := s.Get(second)
	if err != nil || job.User != "bob" || job.State != Running || job.Tries != 1 {
		t.Errorf("got %+v, %v", job, err)
	}
	if input, err := s.Input(second); err != nil || string(input) != "input" {
		t.Errorf("input %q, %v", input, err)
	}
	if n, err := s.Size(); err != nil || n != 3 {
		t.Errorf("size %d, %v, want 3", n, err)
	}
}

func TestStoreSaysSoBetweenTwoLives(t *testing.T) {
	s, stop := open(t, file(t), roomy)
	id := put(t, s, "ada")
	stop()
	_, getErr := s.Get(id)
	_, updateErr := s.Update(id, func(*Job) {})
	for _, err := range []error{getErr, updateErr, s.Put(newJob("ada", time.Now()), nil)} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
	}
}

func TestFinishedJobDoesNotChangeAndHasNoInput(t *testing.T) {
	s, _ := open(t, file(t), roomy)
	id := put(t, s, "ada")
	finish(t, s, id)
	job, err := s.Update(id, func(j *Job) { j.State, j.Tries = Running, 7 })
	if err != nil || job.State != Done || job.Tries != 1 {
		t.Errorf("got %+v, %v", job, err)
	}
	if _, err := s.Input(id); !errors.Is(err, ErrNotFound) {
		t.Errorf("its input: %v, want ErrNotFound", err)
	}
}

func TestRoomIsMadeByTheOldestFinishedJob(t *testing.T) {
	s, _ := open(t, file(t), Limits{Jobs: 3, JobsPerUser: 2})
	running, oldest := put(t, s, "ada"), put(t, s, "ada")
	finish(t, s, oldest)

	mine := put(t, s, "ada") // over her limit
	wantKept(t, s, running)
	wantGone(t, s, oldest)

	finish(t, s, mine)
	theirs := put(t, s, "bob")
	wantKept(t, s, mine)
	put(t, s, "cleo") // over the limit of all
	wantGone(t, s, mine)
	wantKept(t, s, theirs)
	if n, err := s.Size(); err != nil || n != 3 {
		t.Errorf("size %d, %v, want 3", n, err)
	}
}

func TestUnfinishedJobsAreNotDroppedForOthers(t *testing.T) {
	s, _ := open(t, file(t), Limits{Jobs: 3, JobsPerUser: 2})
	put(t, s, "ada")
	put(t, s, "ada")
	if err := s.Put(newJob("ada", time.Now()), nil); !errors.Is(err, ErrUserFull) {
		t.Errorf("third of a user: %v, want ErrUserFull", err)
	}
	put(t, s, "bob")
	if err := s.Put(newJob("cleo", time.Now()), nil); !errors.Is(err, ErrFull) {
		t.Errorf("fourth of all: %v, want ErrFull", err)
	}
}

func TestLowerLimitsHoldAfterARestart(t *testing.T) {
	path := file(t)
	s, stop := open(t, path, roomy)
	var ids []string
	for range 6 {
		ids = append(ids, put(t, s, "ada"))
		finish(t, s, ids[len(ids)-1])
	}
	stop()
	s, _ = open(t, path, Limits{Jobs: 2, JobsPerUser: 2})
	put(t, s, "ada")
	if n, err := s.Size(); err != nil || n != 2 {
		t.Errorf("size %d, %v, want 2", n, err)
	}
	wantKept(t, s, ids[5])
	wantGone(t, s, ids[4])
}

func TestConcurrentPutsStopExactlyAtTheLimit(t *testing.T) {
	const limit = 20
	s, _ := open(t, file(t), Limits{Jobs: limit, JobsPerUser: headcount.Unlimited})
	var stored atomic.Int64
	var wg sync.WaitGroup
	for i := range 3 * limit {
		wg.Go(func() {
			switch err := s.Put(newJob(fmt.Sprint("user-", i%7), time.Now()), nil); {
			case err == nil:
				stored.Add(1)
			case !errors.Is(err, ErrFull):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	ids, err := s.Unfinished()
	if stored.Load() != limit || len(ids) != limit || err != nil {
		t.Errorf("%d puts succeeded, %d jobs are there (%v), want %d", stored.Load(), len(ids), err, limit)
	}
}

func TestOldFinishedJobsAreSwept(t *testing.T) {
	limits := roomy
	limits.KeepFor = time.Hour
	s, _ := open(t, file(t), limits)
	now := time.Now()
	old := make([]string, sweepBatch+10) // more than one transaction takes
	var wg sync.WaitGroup
	for i := range old {
		job := newJob("ada", now.Add(-2*time.Hour))
		old[i] = job.ID
		wg.Go(func() {
			if err := s.Put(job, nil); err != nil {
				t.Error(err)
				return
			}
			finish(t, s, job.ID)
		})
	}
	wg.Wait()
	running := newJob("bob", now.Add(-2*time.Hour))
	if err := s.Put(running, nil); err != nil {
		t.Fatal(err)
	}
	recent := put(t, s, "bob")
	finish(t, s, recent)

	if err := s.sweep(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	wantGone(t, s, old[0])
	wantGone(t, s, old[len(old)-1])
	wantKept(t, s, running.ID)
	wantKept(t, s, recent)
	if n, err := s.Size(); err != nil || n != 2 {
		t.Errorf("size %d, %v, want 2", n, err)
	}
}

func TestFileThatIsNoStoreFailsTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs.db")
	if err := os.WriteFile(path, make([]byte, 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := New(path, roomy, slog.New(slog.DiscardHandler)).Run(t.Context()); err == nil {
		t.Error("it was opened")
	}
}

func TestIDsSortByTime(t *testing.T) {
	before := NewID()
	if after := firstIDAt(time.Now().Add(time.Second)); before >= after {
		t.Errorf("%s is not before %s", before, after)
	}
	if a, b := NewID(), NewID(); a == b {
		t.Error("two ids are the same")
	}
}
