package endpoint_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/headcount-go/headcount"
	"github.com/headcount-go/headcount/endpoint"
)

var silent = slog.New(slog.DiscardHandler)

// An endpoint is a child like any other.
func ExampleNew() {
	web := endpoint.New("web", "127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		self, _ := headcount.Self(r.Context())
		fmt.Fprint(w, "served by a child of ", self.Path[:len("myapp/web/requests")])
	}), endpoint.Limits{Conns: 20_000, ConnsPerClient: 64}, endpoint.Logger(silent))

	app := headcount.NewSupervisor("myapp", headcount.SupervisorConfig{Logger: silent}, web)
	if err := app.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer app.Stop(context.Background())

	res, err := http.Get("http://" + web.Addrs()[0].String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	fmt.Println(string(body))
	// Output: served by a child of myapp/web/requests
}

// Each limit can be changed while the endpoint runs.
func ExampleEndpoint_Gate() {
	web := endpoint.New("web", "127.0.0.1:0", http.NotFoundHandler(), endpoint.Logger(silent))
	if err := web.Conns().MaxChildren().Set(500, headcount.Change{By: "night shift", Why: "the database is slow"}); err != nil {
		fmt.Println(err)
	}
	if err := web.Gate("conns_per_prefix").Limit().Set(50, headcount.Change{By: "night shift"}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(web.Conns().MaxChildren().Value(), web.Gate("conns_per_prefix").Limit().Value())
	fmt.Println(web.Gate("conns_per_prefix").Limit().Set(-1, headcount.Change{}))
	// Output:
	// 500 50
	// conns: conns_per_prefix value: -1 is negative; zero admits nothing, headcount.Unlimited admits any number
}

// LimitHandler stands in front of the router of any server. Here, a user may have one request in flight.
func ExampleLimitHandler() {
	entered, leave := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /report", func(w http.ResponseWriter, r *http.Request) {
		close(entered)
		<-leave
	})
	limited := endpoint.NewLimitHandler("limited", mux, endpoint.Limits{RequestsPerKey: 1}, endpoint.Logger(silent),
		endpoint.KeyFunc(func(r *http.Request) string { return r.Header.Get("X-User") }))
	if err := limited.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer limited.Stop(context.Background())
	server := httptest.NewServer(limited)
	defer server.Close()

	get := func() *http.Response {
		req, _ := http.NewRequest("GET", server.URL+"/report", nil)
		req.Header.Set("X-User", "alice")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			panic(err)
		}
		res.Body.Close()
		return res
	}
	first := make(chan *http.Response)
	go func() { first <- get() }()
	<-entered
	second := get()
	fmt.Println(second.StatusCode, second.Header.Get("Headcount-Reason"))
	close(leave)
	fmt.Println((<-first).StatusCode)
	// Output:
	// 429 max_per_key
	// 200
}

// Listener stands below any server that takes a net.Listener, as net/http's does.
func ExampleListener() {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	listener := endpoint.NewListener("listener", inner, endpoint.Limits{ConnsPerClient: 1}, endpoint.Logger(silent))
	if err := listener.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer listener.Stop(context.Background())
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello") }),
		ReadHeaderTimeout: 5 * time.Second,
	}
	go server.Serve(listener)
	defer server.Close()

	first, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer first.Close()
	fmt.Fprint(first, "GET / HTTP/1.1\r\nHost: example\r\n\r\n")
	line, _, _ := bufio.NewReader(first).ReadLine()
	fmt.Println(string(line))

	second, err := net.Dial("tcp", listener.Addr().String())
	if err == nil { // it is accepted, and closed at once
		_, err = second.Read(make([]byte, 1))
		second.Close()
	}
	fmt.Println("second connection refused:", err != nil)
	// Output:
	// HTTP/1.1 200 OK
	// second connection refused: true
}

// A TCP endpoint runs a function for each connection, as a child.
func ExampleNewTCP() {
	echo := endpoint.NewTCP("echo", "127.0.0.1:0", func(ctx context.Context, c net.Conn) error {
		_, err := io.Copy(c, c)
		return err
	}, endpoint.Limits{Conns: 1000}, endpoint.Timeouts{Idle: time.Minute}, endpoint.Logger(silent))
	if err := echo.Supervisor().Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	defer echo.Supervisor().Stop(context.Background())

	c, err := net.Dial("tcp", echo.Addrs()[0].String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	fmt.Fprintln(c, "hello")
	line, _ := bufio.NewReader(c).ReadString('\n')
	fmt.Print(line)
	// Output: hello
}
