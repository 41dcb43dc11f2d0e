package store

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/headcount-go/headcount"
)

// State is where a job is in its life: queued -> running -> queued (a try failed) ... -> done or failed.
type State string

// The states of a job.
const (
	Queued  State = "queued"
	Running State = "running"
	Done    State = "done"
	Failed  State = "failed"
)

// Finished reports whether a job in this state will not change any more.
func (s State) Finished() bool { return s == Done || s == Failed }

// Job is the record of one job, without its input.
type Job struct {
	ID      string          `json:"id"`
	User    string          `json:"user"`
	Proven  bool            `json:"proven"`
	Kind    string          `json:"kind"`
	Request json.RawMessage `json:"request"` // what was asked for, without the input
	State   State           `json:"state"`
	Tries   int             `json:"tries"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   string          `json:"error,omitempty"` // of the last try
}

const idBytes = 16

// NewID returns an id that sorts by the time it was made, in milliseconds, and cannot be guessed.
func NewID() string {
	var id [idBytes]byte
	rand.Read(id[:]) // never fails, by its documentation
	putTime(&id, time.Now())
	return hex.EncodeToString(id[:])
}

func putTime(id *[idBytes]byte, t time.Time) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(0, t.UnixMilli())))
	copy(id[:6], ms[2:])
}

// firstIDAt returns the smallest id that could have been made at t.
func firstIDAt(t time.Time) string {
	var id [idBytes]byte
	putTime(&id, t)
	return hex.EncodeToString(id[:])
}

// Put stores a new, unfinished job with its input. If the user, or all users together, have as many jobs as may be kept,
// the oldest finished one makes room; if there is none, Put returns ErrUserFull or ErrFull.
func (s *Store) Put(job Job, input []byte) error {
	raw, err := json.Marshal(job)
	if err != nil {
		return fmt.Errorf("store: job %s: %w", job.ID, err)
	}
	id := []byte(job.ID)
	err = s.write(func(tx *bbolt.Tx) error {
		if err := s.makeRoom(tx, job.User); err != nil {
			return err
		}
		owned, err := tx.Bucket(bucketOwners).CreateBucketIfNotExists([]byte(job.User))
		if err != nil {
			return err
		}
		return errors.Join(
			owned.Put(id, present),
			tx.Bucket(bucketJobs).Put(id, raw),
			tx.Bucket(bucketInputs).Put(id, input),
			tx.Bucket(bucketUnfinished).Put(id, present),
			addSize(tx, 1))
	})
	if errors.Is(err, berrors.ErrMaxSizeReached) {
		return ErrFull
	}
	return err
}

// makeRoom drops finished jobs until one more may be kept. Loops, not single steps: the limits may be lower than those
// under which the file was filled.
func (s *Store) makeRoom(tx *bbolt.Tx, user string) error {
	if owned := tx.Bucket(bucketOwners).Bucket([]byte(user)); owned != nil && s.limits.JobsPerUser != headcount.Unlimited {
		n, cursor := 0, owned.Cursor()
		for k, _ := cursor.First(); k != nil; k, _ = cursor.Next() {
			n++
		}
		for ; n >= s.limits.JobsPerUser; n-- {
			if err := dropOldest(tx, owned, ErrUserFull); err != nil {
				return err
			}
		}
	}
	for size(tx) >= s.limits.Jobs {
		if err := dropOldest(tx, tx.Bucket(bucketJobs), ErrFull); err != nil {
			return err
		}
	}
	return nil
}

// Get returns a job, or ErrNotFound.
func (s *Store) Get(id string) (job Job, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		job, err = get(tx, id)
		return err
	})
	return job, err
}

func get(tx *bbolt.Tx, id string) (job Job, err error) {
	raw := tx.Bucket(bucketJobs).Get([]byte(id))
	if raw == nil {
		return job, ErrNotFound
	}
	if err := json.Unmarshal(raw, &job); err != nil {
		return job, fmt.Errorf("store: job %s: %w", id, err)
	}
	return job, nil
}

// Input returns what a job works on. It is kept until the job is finished.
func (s *Store) Input(id string) (input []byte, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		raw := tx.Bucket(bucketInputs).Get([]byte(id))
		if raw == nil {
			return ErrNotFound
		}
		input = append([]byte(nil), raw...) // the database's memory is ours only within the transaction
		return nil
	})
	return input, err
}

// Update changes a job and returns it as it is then. A finished job is left as it is. change may run more than once and
// must not touch anything but the job.
func (s *Store) Update(id string, change func(*Job)) (job Job, err error) {
	err = s.write(func(tx *bbolt.Tx) error {
		var err error
		if job, err = get(tx, id); err != nil || job.State.Finished() {
			return err
		}
		change(&job)
		raw, err := json.Marshal(job)
		if err != nil {
			return fmt.Errorf("store: job %s: %w", id, err)
		}
		if job.State.Finished() {
			err = errors.Join(tx.Bucket(bucketUnfinished).Delete([]byte(id)), tx.Bucket(bucketInputs).Delete([]byte(id)))
		}
		return errors.Join(err, tx.Bucket(bucketJobs).Put([]byte(id), raw))
	})
	return job, err
}

// Unfinished returns the ids of all unfinished jobs, oldest first.
func (s *Store) Unfinished() (ids []string, err error) {
	err = s.read(func(tx *bbolt.Tx) error {
		ids = nil
		return tx.Bucket(bucketUnfinished).ForEach(func(k, _ []byte) error {
			ids = append(ids, string(k))
			return nil
		})
	})
	return ids, err
}

// dropOldest drops the oldest finished job whose id is in bucket, or returns none if there is none. The unfinished ones
// that it walks past are as few as may run.
func dropOldest(tx *bbolt.Tx, bucket *bbolt.Bucket, none error) error {
	unfinished, cursor := tx.Bucket(bucketUnfinished), bucket.Cursor()
	for k, _ := cursor.First(); k != nil; k, _ = cursor.Next() {
		if unfinished.Get(k) == nil {
			return drop(tx, string(k))
		}
	}
	return none
}

// drop removes every trace of a job.
func drop(tx *bbolt.Tx, id string) error {
	job, err := get(tx, id)
	if err != nil {
		return err
	}
	key, owners := []byte(id), tx.Bucket(bucketOwners)
	if owned := owners.Bucket([]byte(job.User)); owned != nil {
		if err := owned.Delete(key); err != nil {
			return err
		}
		if k, _ := owned.Cursor().First(); k == nil { // users without a job leave no trace
			if err := owners.DeleteBucket([]byte(job.User)); err != nil {
				return err
			}
		}
	}
	return errors.Join(
		tx.Bucket(bucketJobs).Delete(key),
		tx.Bucket(bucketInputs).Delete(key),
		tx.Bucket(bucketUnfinished).Delete(key),
		addSize(tx, -1))
}
