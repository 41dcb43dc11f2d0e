package limitfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/headcount-go/headcount"
)

var quiet = slog.New(slog.DiscardHandler)

// A service is a tree whose limits a file keeps.
type service struct {
	t     *testing.T
	file  string
	users *headcount.KeyedSupervisor[string]
	jobs  *headcount.DynamicSupervisor
	gate  *headcount.Gate
	app   *headcount.Supervisor
	f     *File
	log   *syncBuffer
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// setup starts a service with the text in its file; no file if it is empty.
func setup(t *testing.T, text string, cfg Config) *service {
	t.Helper()
	s := &service{t: t, file: filepath.Join(t.TempDir(), "limits.yaml"), log: &syncBuffer{}}
	if text != "" {
		s.write(text)
	}
	s.gate = headcount.NewGate("starts_per_second", 50, nil)
	s.users = headcount.NewKeyedSupervisor[string]("users", headcount.MaxChildren(1000, headcount.Ceiling(60_000)), headcount.MaxPerKey(8))
	s.jobs = headcount.NewDynamicSupervisor("jobs", headcount.MaxChildren(64), headcount.MaxDescendants(500), headcount.Gates(s.gate))
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	}
	s.f = New("limits", s.file, cfg)
	s.app = headcount.NewSupervisor("myapp", headcount.SupervisorConfig{Logger: quiet}, s.f, s.users, s.jobs)
	return s
}

func (s *service) start() *service {
	s.t.Helper()
	if err := s.app.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := s.app.Stop(context.Background()); err != nil {
			s.t.Error(err)
		}
	})
	return s
}

func (s *service) write(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// limits are users' children, per key, jobs' children, descendants, gate.
func (s *service) want(children, perKey, jobs, descendants, gate int) {
	s.t.Helper()
	got := []int{s.users.MaxChildren().Value(), s.users.MaxPerKey().Value(), s.jobs.MaxChildren().Value(), s.jobs.MaxDescendants().Value(), s.gate.Limit().Value()}
	if want := []int{children, perKey, jobs, descendants, gate}; fmt.Sprint(got) != fmt.Sprint(want) {
		s.t.Errorf("limits are %v, want %v; %v", got, want, s.f.Status().Err)
	}
}

// settle gives the file the time to be seen and read.
func settle() { time.Sleep(2500 * time.Millisecond); synctest.Wait() }

func TestTheLimitsAreThoseOfTheFileFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, `
# the limits of myapp
myapp/users: {max_children: 50k, max_per_key: 4}
myapp/jobs:
  max_children: # what the disk takes
    value: 1_000
    reason: new disks
    owner: storage team
    review: 2000-01-01T00:10:00Z
  max_descendants: 2M
  starts_per_second: 5
`, Config{}).start()
		s.want(50_000, 4, 1000, 2_000_000, 5)
		got := s.jobs.MaxChildren().Snapshot().Setting
		if got.Source != "file" || got.By != "storage team" || got.Why != "new disks" || got.Review.Minute() != 10 {
			t.Errorf("%+v", got)
		}
		if st := s.f.Status(); st.Loads != 1 || st.Failures != 0 || st.Err != nil || st.Limits != 5 || !st.Loaded.Equal(time.Now()) || len(st.ReviewsDue) != 0 {
			t.Errorf("%+v", st)
		}
		time.Sleep(11 * time.Minute)
		synctest.Wait()
		st := s.f.Status()
		if st.ReviewsDueTotal != 1 || st.ReviewsDue[0].Path != "myapp/jobs" || st.ReviewsDue[0].Owner != "storage team" || st.ReviewsDue[0].Line != 5 {
			t.Errorf("%+v", st.ReviewsDue)
		}
	})
}

func TestAChangedFileIsSetAsAWholeAndWhatIsRemovedGoesBackToTheCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, "myapp/users: {max_children: 2000, max_per_key: 4}\n", Config{}).start()
		s.want(2000, 4, 64, 500, 50)
		s.write("myapp/users: {max_per_key: 5}\nmyapp/jobs: {max_children: 32, starts_per_second: 10}\n")
		settle()
		s.want(1000, 5, 32, 500, 10)
		if got := s.users.MaxChildren().Snapshot().Setting; got.Source != "code" || got.Why != "no longer in limits.yaml" {
			t.Errorf("%+v", got)
		}
		s.write("{}")
		settle()
		s.want(1000, 8, 64, 500, 50)
	})
}

func TestAFileIsNotReadWhileItIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, "myapp/users: {max_children: 2000}\nmyapp/jobs: {max_children: 32}\n", Config{}).start()
		w, err := os.Create(s.file) // empty now
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		for _, line := range []string{"myapp/users: {max_children: 3000}\n", "# more\n", "# and more\n", "myapp/jobs: {max_children: 16}\n"} {
			fmt.Fprint(w, line)
			time.Sleep(time.Second)
			synctest.Wait()
			s.want(2000, 8, 32, 500, 50)
		}
		settle()
		s.want(3000, 8, 16, 500, 50)
	})
}

func TestAWrongFileChangesNothingAndIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, "myapp/users: {max_children: 2000}\nmyapp/jobs: {max_children: 32}\n", Config{}).start()
		s.write("myapp/users: {max_children: 3000}\nmyapp/jobs: {max_childen: 16}\n")
		settle()
		s.want(2000, 8, 32, 500, 50)
		st := s.f.Status()
		var p *Problem
		if st.Failures != 1 || st.Loads != 1 || !errors.As(st.Err, &p) || p.Line != 2 || p.Column != 14 || !strings.Contains(p.Message, "did you mean max_children?") {
			t.Errorf("%+v", st)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := strings.Count(s.log.String(), "limits not loaded, the old ones stay"); n != 1 {
			t.Errorf("told %d times, want once:\n%s", n, s.log)
		}
		s.write("myapp/users: {max_children: 3000}\nmyapp/jobs: {max_children: 16}\n")
		settle()
		s.want(3000, 8, 16, 500, 50)
		if st := s.f.Status(); st.Err != nil || st.Loads != 2 {
			t.Errorf("%+v", st)
		}
	})
}

func TestARefusedFileIsAnEventAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, "myapp/jobs: {max_children: 5}", Config{})
		events := s.app.Events(100)
		defer events.Close()
		s.start()
		s.write("myapp/jobs: {max_children: -5}")
		settle()
		if l := s.app.Tree().LimitSources; len(l) != 1 || l[0].Name != "limits.yaml" || l[0].Set != 1 || l[0].Refused != 1 || l[0].Err == nil {
			t.Errorf("the tree has %+v, want limits.yaml set once and refused once", l)
		}
		s.write("myapp/jobs: {max_children: 6}")
		settle()
		if l := s.app.Tree().LimitSources[0]; l.Set != 2 || l.Err != nil {
			t.Errorf("the tree has %+v, want limits.yaml set twice", l)
		}
		var told []headcount.LimitsRefused
		for len(events.C()) > 0 {
			if e, ok := (<-events.C()).(headcount.LimitsRefused); ok {
				told = append(told, e)
			}
		}
		if len(told) != 1 || told[0].Path != "myapp" || told[0].Source != "limits.yaml" || !strings.Contains(told[0].Err.Error(), "limits.yaml:1:") {
			t.Errorf("told of %+v, want one refusal with the line", told)
		}
	})
}

func TestAFileThatIsGoneLeavesTheLimitsAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := "myapp/users: {max_children: 2000}\n"
		s := setup(t, text, Config{}).start()
		if err := os.Remove(s.file); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		s.want(2000, 8, 64, 500, 50)
		if st := s.f.Status(); !errors.Is(st.Err, st.Err) || st.Err == nil || st.Failures != 1 {
			t.Errorf("%+v", st)
		}
		s.write(text)
		settle()
		if st := s.f.Status(); st.Err != nil || st.Loads != 2 {
			t.Errorf("%+v", st)
		}
	})
}

func TestAStartWithoutAFileGoesOnUnlessItIsStrict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, "", Config{}).start()
		s.want(1000, 8, 64, 500, 50)
		if st := s.f.Status(); st.Err == nil || st.Failures != 1 || st.Loads != 0 {
			t.Errorf("%+v", st)
		}
		s.write("myapp/users: {max_children: 2000}\n")
		settle()
		s.want(2000, 8, 64, 500, 50)

		strict := setup(t, "myapp/nobody: {max_children: 1}\n", Config{Strict: true})
		err := strict.app.Start(t.Context())
		var p *Problem
		if !errors.As(err, &p) || p.Line != 1 {
			t.Errorf("a strict start says %v", err)
		}
	})
}

func TestTheSwapOfAConfigMapIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		version := func(name, text string) {
			if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, name, "limits.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			old := time.Unix(1e9, 0) // the same for both: only the file differs
			if err := os.Chtimes(file, old, old); err != nil {
				t.Fatal(err)
			}
			link := filepath.Join(dir, "..data_tmp")
			if err := os.Symlink(name, link); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(link, filepath.Join(dir, "..data")); err != nil {
				t.Fatal(err)
			}
		}
		version("..1", "myapp: {max_children: 200}\n")
		file := filepath.Join(dir, "limits.yaml")
		if err := os.Symlink(filepath.Join("..data", "limits.yaml"), file); err != nil {
			t.Fatal(err)
		}
		app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{Logger: quiet}, New("limits", file, Config{Logger: quiet}))
		if err := app.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer app.Stop(context.Background())
		if n := app.MaxChildren().Value(); n != 200 {
			t.Fatalf("limit %d", n)
		}
		version("..2", "myapp: {max_children: 300}\n")
		settle()
		if n := app.MaxChildren().Value(); n != 300 {
			t.Errorf("limit %d after the swap, want 300", n)
		}
	})
}

func TestASignalReadsTheFileAtOnceAndSetsAllOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hup := make(chan os.Signal, 1)
		s := setup(t, "myapp/users: {max_children: 2000}\n", Config{Reload: hup}).start()
		s.write("myapp/users: {max_children: 3000}\n")
		hup <- syscall.SIGHUP
		synctest.Wait()
		s.want(3000, 8, 64, 500, 50)
		if err := s.users.MaxChildren().Set(10, headcount.Change{Source: "page"}); err != nil {
			t.Fatal(err)
		}
		hup <- syscall.SIGHUP // the same file
		synctest.Wait()
		s.want(3000, 8, 64, 500, 50)
		close(hup)
		settle()
	})
}

func TestWhatAPersonSetsLaterStaysUntilTheFileChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, "myapp/users: {max_children: 2000}\n", Config{}).start()
		if err := s.users.MaxChildren().Set(10, headcount.Change{Source: "page", By: "ann"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		s.want(10, 8, 64, 500, 50)
		s.write("myapp/users: {max_children: 2000}\n# touched\n")
		settle()
		s.want(2000, 8, 64, 500, 50)
	})
}

func TestAnEntryThatExpiresGivesTheLimitBackToTheCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, "myapp/users: {max_children: 2000}\nmyapp/jobs: {max_children: {value: 10, expires: 2000-01-01}}\n", Config{}).start()
		s.want(2000, 8, 64, 500, 50) // the clock of the test begins that day
		if st := s.f.Status(); st.Expired != 1 || st.Limits != 1 {
			t.Errorf("%+v", st)
		}
		s.write("myapp/users: {max_children: {value: 3000, expires: 2000-01-01T00:10:00Z}}\nmyapp/jobs: {max_children: {value: 10, expires: '2000-01-01T00:10:00Z'}}\n")
		settle()
		s.want(3000, 8, 10, 500, 50)
		if err := s.jobs.MaxChildren().Set(11, headcount.Change{Source: "page"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(11 * time.Minute)
		settle()
		s.want(1000, 8, 11, 500, 50) // not the 2000 of before; and what a person set stays
	})
}

func TestAnEntryThatExpiresComesBackAfterAShorterChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, "myapp/jobs: {max_children: 12}\n", Config{}).start()
		s.write("myapp/jobs: {max_children: {value: 10, expires: 2000-01-01T02:00:00Z}}\n")
		settle()
		change := func(n int, lasts time.Duration) {
			t.Helper()
			if err := s.jobs.MaxChildren().Set(n, headcount.Change{Source: "page", Expires: time.Now().Add(lasts)}); err != nil {
				t.Fatal(err)
			}
		}
		change(20, 10*time.Minute)
		time.Sleep(11 * time.Minute)
		settle()
		s.want(1000, 8, 10, 500, 50)
		change(20, 3*time.Hour) // longer than the entry, which has expired by then
		time.Sleep(2 * time.Hour)
		settle()
		s.want(1000, 8, 20, 500, 50)
		time.Sleep(2 * time.Hour)
		settle()
		s.want(1000, 8, 64, 500, 50) // that of the code, not the 12 of before
	})
}

func TestAFileThatIsNotThereIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, "myapp/users: {max_children: 2000}\n", Config{})
		if err := os.Remove(s.f.file); err != nil {
			t.Fatal(err)
		}
		s.start()
		settle()
		settle()
		if st := s.f.Status(); st.Failures != 1 {
			t.Errorf("%d failures were told, want 1", st.Failures)
		}
		s.write("myapp/users: {max_children: 2000}\n")
		settle()
		s.want(2000, 8, 64, 500, 50)
	})
}

func TestSupervisorsThatComeLaterGetTheirLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, "myapp/jobs/*: {max_children: 7}\nmyapp/jobs/small: {max_children: 2}\nmyapp/jobs/odd: {max_chidren: 2}\n", Config{}).start()
		start := func(name string, limit headcount.ChildLimit) (*headcount.DynamicSupervisor, *headcount.Child) {
			room := headcount.NewDynamicSupervisor(name, limit)
			c, err := s.jobs.StartChild(t.Context(), room)
			if err != nil {
				t.Fatal(err)
			}
			return room, c
		}
		large, _ := start("large", headcount.MaxChildren(100))
		small, _ := start("small", headcount.MaxChildren(100))
		for range 20 {
			room, c := start("low", headcount.MaxChildren(5, headcount.Ceiling(5)))
			odd, o := start("odd", headcount.MaxChildren(5))
			settle()
			if room.MaxChildren().Value() != 5 || odd.MaxChildren().Value() != 7 {
				t.Errorf("limits %d and %d", room.MaxChildren().Value(), odd.MaxChildren().Value())
			}
			for _, c := range []*headcount.Child{c, o} {
				if err := c.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if large.MaxChildren().Value() != 7 || small.MaxChildren().Value() != 2 {
			t.Errorf("limits %d and %d, want 7 and 2", large.MaxChildren().Value(), small.MaxChildren().Value())
		}
		if n := strings.Count(s.log.String(), "does not fit"); n != 2 { // the ceiling and the name, once each
			t.Errorf("told %d times, want 2:\n%s", n, s.log)
		}
		settle()
		limits := 0
		for n := range s.app.All() {
			limits += len(n.Limits()) + len(n.Gates())
		}
		if len(s.f.applied) != limits {
			t.Errorf("%d limits are remembered of %d", len(s.f.applied), limits)
		}
	})
}

func TestTheMostSpecificEntryWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := setup(t, `
"**": {max_children: 100, max_per_key: 1}
myapp/*: {max_children: 200}
myapp/u*: {max_children: 300}
myapp/users: {max_children: 400}
`, Config{}).start()
		s.want(400, 1, 200, 500, 50)
		if n := s.app.MaxChildren().Value(); n != 100 {
			t.Errorf("the root has %d", n)
		}
	})
}
