// Package store keeps the jobs of myapp in a file (bbolt), so that they survive a restart.
//
// What it keeps is bounded in number, for each user and for all together, in bytes and in time. Room is made at the
// expense of the oldest finished jobs, first of the same user; a job that is not finished is never dropped for another.
package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/headcount-go/headcount"
)

// The errors that callers act on.
var (
	ErrClosed   = errors.New("store: not open")
	ErrNotFound = errors.New("store: no such job")
	ErrFull     = errors.New("store: full of unfinished jobs")
	ErrUserFull = errors.New("store: this user has too many unfinished jobs")
)

// Limits bounds what a store keeps. headcount.Unlimited as a number switches that bound off.
type Limits struct {
	Jobs        int           // of all users together
	JobsPerUser int           // of one user
	Bytes       int           // of the file; zero is no bound
	KeepFor     time.Duration // how long a finished job is kept, counted from when it was handed in
}

// Store is the file of jobs. It is open while Run runs: as a child it can be restarted, and everything that holds the
// Store goes on with the new life. Its methods are safe for concurrent use and return ErrClosed between two lives.
type Store struct {
	path   string
	limits Limits
	log    *slog.Logger

	mu struct {
		sync.RWMutex
		db *bbolt.DB // nil while not open
	}
}

// New returns the store of the given file. Run opens it.
func New(path string, limits Limits, log *slog.Logger) *Store {
	return &Store{path: path, limits: limits, log: log}
}

const (
	// lockWithin bounds the wait for another process that has the file open, such as our predecessor in a rollover.
	lockWithin = 5 * time.Second
	// batchDelay is how long a write waits for others to share one sync of the disk with.
	batchDelay = time.Millisecond
	sweepEvery = time.Minute
	// sweepBatch bounds one sweep's transaction, so that writers get their turn in between.
	sweepBatch = 256
)

// Run opens the file, drops old jobs, reports readiness, drops old jobs now and then, and closes the file when ctx ends.
func (s *Store) Run(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	db, err := bbolt.Open(s.path, 0o600, &bbolt.Options{Timeout: lockWithin, FreelistType: bbolt.FreelistMapType, MaxSize: s.limits.Bytes})
	if err != nil {
		return fmt.Errorf("store: open %s: %w", s.path, err)
	}
	db.MaxBatchDelay = batchDelay
	defer db.Close()
	if err := db.Update(createBuckets); err != nil {
		return fmt.Errorf("store: prepare %s: %w", s.path, err)
	}
	s.setDB(db)
	defer s.setDB(nil) // before the Close above, so that nobody meets a closed file

	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if err := s.sweep(ctx, time.Now()); err != nil {
			return err
		}
		headcount.Ready(ctx) // the first time; later it does nothing
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Store) setDB(db *bbolt.DB) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.db = db
}

func (s *Store) db() (*bbolt.DB, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.mu.db == nil {
		return nil, ErrClosed
	}
	return s.mu.db, nil
}

// write runs fn in a transaction that it may share with other writers. fn may run more than once, so it must set what it
// returns through variables anew each time.
func (s *Store) write(fn func(*bbolt.Tx) error) error {
	db, err := s.db()
	if err != nil {
		return err
	}
	return closed(db.Batch(fn))
}

func (s *Store) read(fn func(*bbolt.Tx) error) error {
	db, err := s.db()
	if err != nil {
		return err
	}
	return closed(db.View(fn))
}

// closed turns the database's own word for a file closed meanwhile into ours.
func closed(err error) error {
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// sweep drops finished jobs that were handed in longer ago than KeepFor.
func (s *Store) sweep(ctx context.Context, now time.Time) error {
	if s.limits.KeepFor <= 0 {
		return nil
	}
	before := firstIDAt(now.Add(-s.limits.KeepFor))
	for from := ""; ctx.Err() == nil; {
		var next string
		var old []string
		err := s.write(func(tx *bbolt.Tx) error {
			old, next = oldJobs(tx, from, before)
			for _, id := range old { // not while a cursor moves: deleting would move it too
				if err := drop(tx, id); err != nil {
					return err
				}
			}
			return nil
		})
		switch {
		case errors.Is(err, ErrClosed):
			return nil
		case err != nil:
			return fmt.Errorf("store: drop old jobs: %w", err)
		}
		if len(old) > 0 {
			s.log.Info("old jobs dropped", "jobs", len(old))
		}
		if next == "" {
			return nil
		}
		from = next
	}
	return nil
}

// oldJobs returns the finished jobs among some whose ids are in [from, before), and where to go on, "" at the end.
func oldJobs(tx *bbolt.Tx, from, before string) (old []string, next string) {
	unfinished, cursor := tx.Bucket(bucketUnfinished), tx.Bucket(bucketJobs).Cursor()
	seen := 0
	for k, _ := cursor.Seek([]byte(from)); k != nil && string(k) < before; k, _ = cursor.Next() {
		if seen == sweepBatch {
			return old, string(k)
		}
		seen++
		if unfinished.Get(k) == nil {
			old = append(old, string(k))
		}
	}
	return old, ""
}

// Size returns how many jobs are kept.
func (s *Store) Size() (n int, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		n = size(tx)
		return nil
	})
	return n, err
}

var (
	bucketJobs       = []byte("jobs")       // id -> Job as JSON
	bucketInputs     = []byte("inputs")     // id -> what an unfinished job works on
	bucketUnfinished = []byte("unfinished") // id -> present
	bucketOwners     = []byte("owners")     // user -> bucket of id -> present
	bucketMeta       = []byte("meta")
	keySize          = []byte("jobs") // in meta: number of jobs

	// present is the value where only the key matters. It is not empty: within the transaction that wrote it, the
	// database does not tell an empty value from none.
	present = []byte{1}
)

func createBuckets(tx *bbolt.Tx) error {
	for _, name := range [][]byte{bucketJobs, bucketInputs, bucketUnfinished, bucketOwners, bucketMeta} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

func size(tx *bbolt.Tx) int {
	if raw := tx.Bucket(bucketMeta).Get(keySize); len(raw) == 8 {
		return int(binary.BigEndian.Uint64(raw))
	}
	return 0
}

func addSize(tx *bbolt.Tx, n int) error {
	return tx.Bucket(bucketMeta).Put(keySize, binary.BigEndian.AppendUint64(nil, uint64(size(tx)+n)))
}
