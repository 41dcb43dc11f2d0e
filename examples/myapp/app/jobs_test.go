package app

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestSignInErrorsAreNamed(t *testing.T) {
	r := start(t, testConfig(t))
	good := token(t, "ada", false)
	for name, row := range map[string]struct{ token, reason string }{
		"none":    {"", "missing_token"},
		"garbage": {"garbage", "malformed_token"},
		"changed": {"A" + good[1:], "bad_signature"},
		"expired": {tokenUntil(t, "ada", false, time.Now().Add(-time.Second)), "expired_token"},
	} {
		for _, path := range []string{"/jobs/x", "/ws", "/events", "/poll"} {
			a := r.do("GET", path, row.token, "")
			a.want(t, http.StatusUnauthorized, row.reason)
			if a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s, %s: no WWW-Authenticate", name, path)
			}
		}
		r.do("POST", "/jobs", row.token, `{"kind":"sleep","millis":1}`).want(t, http.StatusUnauthorized, row.reason)
	}
	r.do("GET", "/healthz", "", "").want(t, http.StatusOK, "")
	r.do("GET", "/readyz", "", "").want(t, http.StatusOK, "")
	r.do("GET", "/nothing", good, "").want(t, http.StatusNotFound, "not_found")
}

func TestJobLife(t *testing.T) {
	r := start(t, testConfig(t))
	ada := token(t, "ada", false)
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 40, 20))); err != nil {
		t.Fatal(err)
	}
	resize := r.submit(ada, fmt.Sprintf(`{"kind":"resize","width":10,"data":%q}`, base64.StdEncoding.EncodeToString(picture.Bytes())))
	hash := r.submit(ada, `{"kind":"hash","data":"aGk=","fails":2}`)
	crash := r.submit(ada, `{"kind":"crash","restart":"temporary"}`)

	var resized struct {
		Width, Height int
		PNG           []byte
	}
	j := r.finished(ada, resize)
	if err := json.Unmarshal(j.Result, &resized); err != nil || j.State != "done" || resized.Width != 10 || resized.Height != 5 {
		t.Errorf("resize: %+v, %v", j, err)
	}
	if cfg, err := png.DecodeConfig(bytes.NewReader(resized.PNG)); err != nil || cfg.Width != 10 {
		t.Errorf("the resized picture: %+v, %v", cfg, err)
	}
	if j := r.finished(ada, hash); j.State != "done" || j.Tries != 3 || !strings.Contains(string(j.Result), "8f434346") {
		t.Errorf("hash that fails twice: %+v", j)
	}
	if j := r.finished(ada, crash); j.State != "failed" || j.Tries != 1 || !strings.Contains(j.Error, "panic") {
		t.Errorf("crash: %+v", j)
	}

	bob := token(t, "bob", true)
	r.do("GET", "/jobs/"+hash, bob, "").want(t, http.StatusForbidden, "not_yours")
	r.do("GET", "/jobs/0", bob, "").want(t, http.StatusNotFound, "not_found")
}

func TestBadJobsAreRefusedWithTheReason(t *testing.T) {
	c := testConfig(t)
	c.maxBody, c.chaos = 1000, false
	r := start(t, c)
	ada := token(t, "ada", false)
	r.do("POST", "/jobs", ada, ``).want(t, http.StatusBadRequest, "bad_json")
	r.do("POST", "/jobs", ada, `{"kind":"sleep","millis":1,"colour":"red"}`).want(t, http.StatusBadRequest, "bad_json")
	r.do("POST", "/jobs", ada, `{"kind":"sleep"}`).want(t, http.StatusBadRequest, "bad_job")
	r.do("POST", "/jobs", ada, `{"kind":"crash"}`).want(t, http.StatusForbidden, "not_allowed")
	r.do("POST", "/jobs", ada, `{"kind":"hash","data":"`+strings.Repeat("A", 2000)+`"}`).want(t, http.StatusRequestEntityTooLarge, "big_body")
	r.do("GET", "/debug/inside", "", "").want(t, http.StatusNotFound, "not_found")
}

func TestFullWorkersRefuseJobs(t *testing.T) {
	c := testConfig(t)
	c.maxJobs, c.jobQueue, c.jobWait = 1, 1, 10*time.Millisecond
	r := start(t, c)
	ada := token(t, "ada", true)
	r.submit(ada, `{"kind":"sleep","millis":10000}`)
	r.do("POST", "/jobs", ada, `{"kind":"sleep","millis":1}`).want(t, http.StatusServiceUnavailable, "wait_timeout")
	// The refusal kept nothing, and the connection lives: the body had been read.
	r.do("GET", "/healthz", "", "").want(t, http.StatusOK, "")
}

func TestStoredJobsOfOneUserAreBounded(t *testing.T) {
	c := testConfig(t)
	c.storedPerUser = 1
	r := start(t, c)
	ada := token(t, "ada", false)
	r.submit(ada, `{"kind":"sleep","millis":10000}`)
	r.do("POST", "/jobs", ada, `{"kind":"sleep","millis":1}`).want(t, http.StatusTooManyRequests, "store_full_for_user")
	r.submit(token(t, "bob", false), `{"kind":"sleep","millis":1}`)
}

func TestJobsAreTakenUpAgainAfterARestart(t *testing.T) {
	c := testConfig(t)
	r := start(t, c)
	ada := token(t, "ada", false)
	slow := r.submit(ada, `{"kind":"sleep","millis":300}`)
	done := r.submit(ada, `{"kind":"hash","data":"aGk="}`)
	r.finished(ada, done)
	if code := r.stop(); code != 0 {
		t.Fatalf("exit status %d", code)
	}

	r = start(t, c)
	if j := r.finished(ada, slow); j.State != "done" || j.Tries != 1 {
		t.Errorf("the interrupted job: %+v, want done in its first whole try", j)
	}
	if j := r.finished(ada, done); j.State != "done" || j.Tries != 1 {
		t.Errorf("the finished job: %+v", j)
	}
}
