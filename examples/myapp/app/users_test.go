package app

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestWebsocketEchoes(t *testing.T) {
	c := testConfig(t)
	c.pingEvery = 20 * time.Millisecond
	r := start(t, c)
	conn := r.mustWS(token(t, "ada", false))
	for _, text := range []string{"ping", "", "grüße"} {
		echo(t, conn, text)
	}
}

func TestWebsocketRefusesLongMessages(t *testing.T) {
	c := testConfig(t)
	c.maxText = 100
	r := start(t, c)
	conn := r.mustWS(token(t, "ada", false))
	if err := conn.Write(t.Context(), websocket.MessageText, []byte(strings.Repeat("x", 101))); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusMessageTooBig {
		t.Errorf("%v, want message too big", err)
	}
}

func TestWebsocketThatDoesNotAnswerPingsIsDropped(t *testing.T) {
	c := testConfig(t)
	c.pingEvery = 20 * time.Millisecond
	r := start(t, c)
	ada := token(t, "ada", false)
	r.mustWS(ada) // nobody reads from it, so nobody answers
	r.until(func() bool { return r.inside().UserChildren == 0 })
}

func TestWebsocketEndsWithItsToken(t *testing.T) {
	r := start(t, testConfig(t))
	conn := r.mustWS(tokenUntil(t, "ada", false, time.Now().Add(1500*time.Millisecond)))
	wantGoodbye(t, conn)
}

func TestOneUserIsRefusedAtHerLimit(t *testing.T) {
	c := testConfig(t)
	c.maxPerUser = 2
	r := start(t, c)
	ada := token(t, "ada", false)
	first := r.mustWS(ada)
	r.mustWS(ada)
	_, refused := r.openWS(ada)
	refused.want(t, http.StatusTooManyRequests, "max_per_key")
	r.do("GET", "/poll?wait=0", ada, "").want(t, http.StatusTooManyRequests, "max_per_key")
	r.do("GET", "/events", ada, "").want(t, http.StatusTooManyRequests, "max_per_key")
	r.mustWS(token(t, "bob", false)) // is not hurt by it

	first.Close(websocket.StatusNormalClosure, "")
	r.until(func() bool {
		conn, _ := r.openWS(ada)
		return conn != nil
	})
	if in := r.inside(); in.PerUserPeak != 2 || in.Refused["users"]["max_per_key"] < 3 {
		t.Errorf("inside: %+v", in)
	}
}

func TestFullServiceKeepsHeadroomForProvenUsers(t *testing.T) {
	c := testConfig(t)
	c.maxUsers = 5
	r := start(t, c)
	for _, user := range []string{"a", "b", "c", "d"} { // 80 %
		r.mustWS(token(t, user, false))
	}
	_, refused := r.openWS(token(t, "e", false))
	refused.want(t, http.StatusServiceUnavailable, "priority")
	proven := r.mustWS(token(t, "e", true))
	_, refused = r.openWS(token(t, "f", true))
	refused.want(t, http.StatusServiceUnavailable, "max_children")
	echo(t, proven, "still here")
}

func TestPollGetsMessages(t *testing.T) {
	r := start(t, testConfig(t))
	ada, bob := token(t, "ada", false), token(t, "bob", false)
	type got struct {
		Messages []struct{ From, Text string }
	}
	var empty got
	a := r.do("GET", "/poll?wait=0", ada, "")
	a.want(t, http.StatusOK, "")
	a.decode(t, &empty)
	if empty.Messages == nil || len(empty.Messages) != 0 {
		t.Errorf("no messages: %s", a.body)
	}

	r.do("POST", "/messages", ada, `{"to":"me","text":"note"}`).want(t, http.StatusAccepted, "")
	r.do("POST", "/messages", bob, `{"to":"ada","text":"hi"}`).want(t, http.StatusAccepted, "")
	var full got
	r.do("GET", "/poll?wait=20", ada, "").decode(t, &full)
	if len(full.Messages) != 2 || full.Messages[0].From != "ada" || full.Messages[1].Text != "hi" {
		t.Errorf("got %+v", full)
	}

	r.do("GET", "/poll?wait=-1", ada, "").want(t, http.StatusBadRequest, "bad_wait")
	r.do("GET", "/poll?wait=9999", ada, "").want(t, http.StatusBadRequest, "bad_wait")
}

func TestPollWaitsForAMessage(t *testing.T) {
	r := start(t, testConfig(t))
	ada := token(t, "ada", false)
	polled := make(chan answer, 1)
	go func() {
		a, err := r.try("GET", "/poll?wait=20", ada, "")
		if err != nil {
			t.Error(err)
		}
		polled <- a
	}()
	r.until(func() bool { return r.inside().UserChildren == 2 }) // the poll and the queue
	r.do("POST", "/messages", ada, `{"to":"me","text":"wake up"}`).want(t, http.StatusAccepted, "")
	if a := <-polled; a.status != http.StatusOK || !strings.Contains(string(a.body), "wake up") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestBadMessagesAreRefused(t *testing.T) {
	c := testConfig(t)
	c.userQueue, c.maxText = 1, 10
	r := start(t, c)
	ada := token(t, "ada", false)
	for body, reason := range map[string]string{
		`{"to":"me"}`:                           "bad_message",
		`{"to":"a/b","text":"hi"}`:              "bad_message",
		`{"text":"hi"}`:                         "bad_message",
		`{"to":"me","text":"12345678901"}`:      "bad_message",
		`{"to":"me","text":"hi","urgent":true}`: "bad_json",
	} {
		r.do("POST", "/messages", ada, body).want(t, http.StatusBadRequest, reason)
	}
	r.do("POST", "/messages", ada, `{"to":"nobody","text":"hi"}`).want(t, http.StatusNotFound, "not_here")
	r.do("POST", "/messages", ada, `{"to":"me","text":"hi"}`).want(t, http.StatusAccepted, "")
	r.do("POST", "/messages", ada, `{"to":"me","text":"hi"}`).want(t, http.StatusTooManyRequests, "user_queue_full")
}

func TestEventsStreamMessagesAndHeartbeats(t *testing.T) {
	c := testConfig(t)
	c.pingEvery = 20 * time.Millisecond
	r := start(t, c)
	ada := token(t, "ada", false)
	lines := r.events(ada)
	beats := 0
	for lines.Scan() {
		if lines.Text() == ": still here" {
			if beats++; beats == 2 {
				break
			}
		}
	}
	r.do("POST", "/messages", ada, `{"to":"me","text":"line 1\nline 2"}`).want(t, http.StatusAccepted, "")
	for lines.Scan() {
		if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
			var m struct{ From, Text string }
			if err := json.Unmarshal([]byte(data), &m); err != nil || m.From != "ada" || m.Text != "line 1\nline 2" {
				t.Errorf("got %s, %v", data, err)
			}
			return
		}
	}
	t.Errorf("the stream ended: %v", lines.Err())
}

// events opens an event stream; the test reads its lines.
func (r *running) events(token string) *bufio.Scanner {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), "GET", "http://"+r.addr+"/events", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		r.t.Fatalf("%d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	return bufio.NewScanner(resp.Body)
}

// insideCounts is what GET /debug/inside says, as far as tests use it.
type insideCounts struct {
	WS           int `json:"ws"`
	UserChildren int `json:"user_children"`
	PerUserPeak  int `json:"per_user_peak"`
	Jobs         int
	Limits       map[string]int
	Refused      map[string]map[string]int
	Stuck        []string
}

func (r *running) inside() (in insideCounts) {
	r.t.Helper()
	a := r.do("GET", "/debug/inside", "", "")
	a.want(r.t, http.StatusOK, "")
	a.decode(r.t, &in)
	return in
}
