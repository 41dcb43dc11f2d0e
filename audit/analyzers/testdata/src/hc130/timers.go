// Package hc130 starts timers.
package hc130

import (
	"net/http"
	"time"
)

func expire(string) {}

func handler(w http.ResponseWriter, r *http.Request) {
	time.AfterFunc(time.Hour, func() { expire(r.URL.Path) }) // want `time.AfterFunc is started for each request or message .* medium external`
	_ = time.AfterFunc(time.Hour, func() {})                 // want `HC130`
	t := time.AfterFunc(time.Hour, func() {})                // want `HC130`
	println(t.C)
	time.AfterFunc(100*time.Millisecond, func() {}) // want `HC130\) low external`
}

func messages(in chan string) {
	for m := range in {
		time.AfterFunc(time.Minute, func() { expire(m) }) // want `in a loop that does not end .* medium unbounded`
	}
}

func all(keys []string) {
	for _, k := range keys {
		time.AfterFunc(time.Minute, func() { expire(k) }) // want `for each item .* low not known`
	}
}

// From here on nothing is to be found.

type session struct{ timer *time.Timer }

func (s *session) close() { s.timer.Stop() }

func stopped(w http.ResponseWriter, r *http.Request) *time.Timer {
	t := time.AfterFunc(time.Hour, func() {})
	defer t.Stop()
	defer time.AfterFunc(time.Hour, func() {}).Stop()
	s := &session{}
	s.timer = time.AfterFunc(time.Hour, func() {})
	keep(&session{timer: time.AfterFunc(time.Hour, func() {})})
	given := time.AfterFunc(time.Hour, func() {})
	return given
}

func keep(*session) {}

func once() { time.AfterFunc(time.Hour, func() {}) }

func threeTimes() {
	for range 3 {
		time.AfterFunc(time.Hour, func() {})
	}
}
