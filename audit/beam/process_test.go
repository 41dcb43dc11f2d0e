package beam

import (
	"fmt"
	"slices"
	"testing"

	"github.com/headcount-go/headcount/audit/report"
)

func TestProcessesPerRequestMessageAndItem(t *testing.T) {
	const controller = "defmodule C do\n  use Phoenix.Controller\n  %s\nend"
	const server = "defmodule S do\n  use GenServer\n  def init(s), do: {:ok, s}\n  %s\nend"
	for _, c := range []struct {
		name, frame, code string
		want              string // rule and confidence; "" for none
	}{
		{"task in an action", controller, `def a(conn, p), do: Task.start(fn -> p end)`, "HC207 3"},
		{"spawn in an action", controller, `def a(conn, p), do: spawn(M, :f, [p])`, "HC207 3"},
		{"spawn of Erlang", controller, `def a(conn, p), do: :erlang.spawn(fn -> p end)`, "HC207 3"},
		{"spawn in a pipe", controller, `def a(conn, p), do: fn -> p end |> spawn()`, "HC207 3"},
		{"spawn in a rescue", controller, "def a(conn, p) do\n    p\n  rescue\n    e -> spawn(fn -> e end)\n  end", "HC207 3"},
		{"spawn in a branch", controller, "def a(conn, p) do\n    case p do\n      1 -> Task.start(fn -> p end)\n      _ -> conn\n    end\n  end", "HC207 3"},
		{"linked", controller, `def a(conn, p), do: Task.start_link(fn -> p end)`, "HC207 2"},
		{"in a function that the action calls", controller, "def a(conn, p), do: log(p)\n  defp log(p), do: Task.start(fn -> p end)", "HC207 2"},
		{"alias of Task", "defmodule C do\n  use Phoenix.Controller\n  alias Task, as: T\n  %s\nend", `def a(conn, p), do: T.start(fn -> p end)`, "HC207 3"},
		{"awaited", controller, "def a(conn, p) do\n    t = Task.async(fn -> p end)\n    Task.await(t)\n  end", ""},
		{"awaited by another function", controller, "def a(conn, p), do: wait(begin(p))\n  defp begin(p), do: Task.async(fn -> p end)\n  defp wait(t), do: Task.await(t)", ""},
		{"awaited in a pipe", controller, `def a(conn, p), do: Task.async(fn -> p end) |> Task.yield(5)`, ""},
		{"not awaited", controller, `def a(conn, p), do: Task.async(fn -> p end)`, "HC207 2"},
		{"under a supervisor", controller, `def a(conn, p), do: Task.Supervisor.start_child(T, fn -> p end)`, ""},
		{"a function that is never called", controller, `defp log(p), do: Task.start(fn -> p end)`, ""},
		{"own module named Task", "defmodule C do\n  use Phoenix.Controller\n  alias MyApp.Task\n  %s\nend", `def a(conn, p), do: Task.start(p)`, ""},
		{"each of a parameter", controller, `def a(conn, p), do: Enum.each(p["ids"], fn id -> Task.start(fn -> id end) end)`, "HC209 2"},
		{"for of a parameter", controller, "def a(conn, p) do\n    ts = for id <- p, do: Task.async(fn -> id end)\n    Task.await_many(ts)\n  end", "HC209 2"},
		{"captured", controller, `def a(conn, p), do: p |> Enum.map(&Task.async(fn -> &1 end)) |> Enum.map(&Task.await/1)`, "HC209 2"},
		{"each of what is written", controller, `def a(conn, p), do: Enum.map([:a, :b], fn x -> Task.async(fn -> x end) end) |> Task.await_many()`, ""},
		{"range of numbers", controller, "def a(conn, p) do\n    ts = for _ <- 1..4, do: Task.async(fn -> p end)\n    Task.await_many(ts)\n  end", ""},
		{"range to a parameter", controller, "def a(conn, n) do\n    ts = for _ <- 1..n, do: Task.async(fn -> n end)\n    Task.await_many(ts)\n  end", "HC209 2"},
		{"chunks", controller, "def a(conn, p) do\n    for c <- Enum.chunk_every(p, 5) do\n      Enum.map(c, fn x -> Task.async(fn -> x end) end) |> Task.await_many()\n    end\n  end", ""},
		{"message", server, "def handle_info({:new, x}, s) do\n    spawn(fn -> x end)\n    {:noreply, s}\n  end", "HC208 2"},
		{"cast", server, "def handle_cast({:new, x}, s) do\n    Task.start(fn -> x end)\n    {:noreply, s}\n  end", "HC208 2"},
		{"own timer", server, "def handle_info(:tick, s) do\n    spawn(fn -> s end)\n    Process.send_after(self(), :tick, 5)\n    {:noreply, s}\n  end", ""},
		{"own interval", server, "def handle_continue(_, s), do: :timer.send_interval(5, :tick)\n  def handle_info(:tick, s), do: spawn(fn -> s end)", ""},
		{"one at a time", server, "def handle_info({:new, x}, %{task: nil} = s), do: {:noreply, %{s | task: Task.async(fn -> x end)}}", ""},
		{"with the server", server, "def start_link(x), do: Task.start_link(fn -> x end)", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			result := reviewed(t, map[string]string{"lib/a.ex": fmt.Sprintf(c.frame, c.code)})
			if len(result.Unread) > 0 {
				t.Fatal(result.Unread)
			}
			var got, want []string
			for _, f := range result.Findings {
				got = append(got, fmt.Sprintf("%s %d", f.Rule, f.Confidence))
			}
			if c.want != "" {
				want = []string{c.want}
			}
			if !slices.Equal(got, want) {
				t.Errorf("found %v, want %v", got, want)
			}
		})
	}
}

func TestStreamsWithoutALimitAreFound(t *testing.T) {
	for call, want := range map[string]report.Confidence{
		`Task.async_stream(ids, &f/1, max_concurrency: :infinity)`:                               report.High,
		`ids |> Task.async_stream(&f/1, timeout: 1, max_concurrency: :infinity) |> Stream.run()`: report.High,
		`Task.async_stream(ids, M, :f, [], max_concurrency: :infinity)`:                          report.High,
		`Task.Supervisor.async_stream(T, ids, &f/1, max_concurrency: :infinity)`:                 report.High,
		`Task.Supervisor.async_stream_nolink(T, ids, &f/1, [max_concurrency: :infinity])`:        report.High,
		`Task.async_stream(ids, &f/1, max_concurrency: length(ids))`:                             report.Medium,
		`Task.async_stream(ids, &f/1, max_concurrency: Enum.count(ids))`:                         report.Medium,
		`Task.async_stream(ids, &f/1, max_concurrency: 10)`:                                      0,
		`Task.async_stream(ids, &f/1, max_concurrency: System.schedulers_online() * 2)`:          0,
		`Task.async_stream(ids, &f/1)`:                                                           0,
		`Task.async_stream([1, 2, 3], &f/1, max_concurrency: :infinity)`:                         0,
		`Task.async_stream(Enum.take(ids, 5), &f/1, max_concurrency: :infinity)`:                 0,
		`Task.Supervisor.async_stream(T, ~w(a b), &f/1, max_concurrency: :infinity)`:             0,
	} {
		result := reviewed(t, map[string]string{"lib/a.ex": "defmodule A do\n  def run(ids) do\n    " + call + "\n  end\nend"})
		var got report.Confidence
		for _, f := range result.Findings {
			if f.Rule == "HC206" {
				got = f.Confidence
			}
		}
		if got != want || len(result.Unread) > 0 {
			t.Errorf("%s: confidence %d, want %d", call, got, want)
		}
	}
}
