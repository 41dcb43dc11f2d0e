package beam

import (
	"slices"
	"testing"
)

func TestListenersAreFoundWithTheirLimits(t *testing.T) {
	for _, c := range []struct {
		name, code, want, rule string
	}{
		{"Bandit by default", children(`[{Bandit, plug: MyApp.Router, port: 4000}]`),
			"Bandit listener | MyApp.Router |  |  | 1638400 (16384 by default for each of 100 acceptors, 1638400 in total)", "HC211"},
		{"Bandit with a limit", children(`[{Bandit, plug: {MyApp.Router, []}, thousand_island_options: [num_connections: 10]}]`),
			"Bandit listener | MyApp.Router |  |  | 1000 (10 for each of 100 acceptors, 1000 in total)", ""},
		{"Bandit without limit", children(`Bandit.start_link(plug: MyApp.Router, thousand_island_options: [num_connections: :infinity])`),
			"Bandit listener | MyApp.Router |  |  | unlimited (:infinity)", "HC210"},
		{"Bandit with acceptors by an expression", children(`[{Bandit, plug: R, thousand_island_options: [num_acceptors: System.schedulers_online(), num_connections: 10]}]`),
			"Bandit listener | R |  |  | expression (10 for each acceptor)", ""},
		{"Bandit with options from elsewhere", children(`[{Bandit, MyLib.options()}]`), "Bandit listener |  |  |  | not known", ""},
		{"ThousandIsland", children(`[{ThousandIsland, port: 1234, handler_module: MyApp.Echo, num_acceptors: 5, num_connections: 20}]`),
			"ThousandIsland listener | MyApp.Echo |  |  | 100 (20 for each of 5 acceptors, 100 in total)", ""},
		{"ThousandIsland by default", children(`ThousandIsland.start_link(port: 1234, handler_module: MyApp.Echo)`),
			"ThousandIsland listener | MyApp.Echo |  |  | 1638400 (16384 by default for each of 100 acceptors, 1638400 in total)", "HC211"},
		{"Plug.Cowboy by default", children(`[{Plug.Cowboy, scheme: :http, plug: MyApp.Router, options: [port: 4000]}]`),
			"Plug.Cowboy listener | MyApp.Router |  |  | 16384 (16384 by default)", "HC211"},
		{"Plug.Cowboy with a limit", children(`[Plug.Cowboy.child_spec(scheme: :http, plug: R, options: [transport_options: [max_connections: 500]])]`),
			"Plug.Cowboy listener | R |  |  | 500", ""},
		{"Plug.Cowboy.http", children(`Plug.Cowboy.http(MyApp.Router, [], port: 80, transport_options: [max_connections: :infinity])`),
			"Plug.Cowboy listener |  |  |  | unlimited (:infinity)", "HC210"},
		{"Cowboy", children(`:cowboy.start_clear(:http, %{max_connections: 300, socket_opts: [port: 80]}, %{env: %{dispatch: d}})`),
			"Cowboy listener |  |  |  | 300", ""},
		{"Cowboy by default", children(`:cowboy.start_tls(:https, [port: 443], %{})`), "Cowboy listener |  |  |  | 1024 (1024 by default)", "HC211"},
		{"Ranch", children(`[:ranch.child_spec(:smtp, :ranch_tcp, %{max_connections: 64}, MyApp.Smtp, [])]`), "Ranch listener |  |  |  | 64", ""},
		{"Ranch without limit", children(`:ranch.start_listener(:smtp, :ranch_tcp, %{max_connections: :infinity}, MyApp.Smtp, [])`),
			"Ranch listener |  |  |  | unlimited (:infinity)", "HC210"},
		{"Ranch by default", children(`:ranch.start_listener(:smtp, :ranch_tcp, [port: 25], MyApp.Smtp, [])`),
			"Ranch listener |  |  |  | 1024 (1024 by default)", "HC211"},
	} {
		t.Run(c.name, func(t *testing.T) {
			result := reviewed(t, map[string]string{"lib/a.ex": c.code})
			equal(t, "inventory", rows(result), []string{c.want})
			var rules []string
			for _, f := range result.Findings {
				rules = append(rules, f.Rule)
			}
			if c.rule == "" && len(rules) > 0 || c.rule != "" && !slices.Equal(rules, []string{c.rule}) {
				t.Errorf("findings %v, want %q", rules, c.rule)
			}
		})
	}
}

const endpointModule = "defmodule MyAppWeb.Endpoint do\n  use Phoenix.Endpoint, otp_app: :my_app\nend\n"

func TestEndpointOfPhoenixIsReadFromTheConfiguration(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  []string
	}{
		{"nothing said", nil, nil},
		{"no listener", map[string]string{"config/config.exs": "config :my_app, MyAppWeb.Endpoint, http: false, url: [host: \"x\"]\n"}, nil},
		{"Cowboy where no adapter is named", map[string]string{"config/prod.exs": "config :my_app, MyAppWeb.Endpoint, http: [port: 80]\n"},
			[]string{"Plug.Cowboy listener | MyAppWeb.Endpoint |  |  | 16384 (16384 by default)"}},
		{"adapter in one file and limit in the other", map[string]string{
			"config/config.exs":  "config :my_app, MyAppWeb.Endpoint, adapter: Bandit.PhoenixAdapter\n",
			"config/runtime.exs": "if config_env() == :prod do\n  config :my_app, MyAppWeb.Endpoint, https: [port: 443, thousand_island_options: [num_acceptors: 2, num_connections: 50]]\nend\n",
		}, []string{"Bandit listener | MyAppWeb.Endpoint |  |  | 100 (50 for each of 2 acceptors, 100 in total)"}},
		{"development says nothing", map[string]string{
			"config/dev.exs":    "config :my_app, MyAppWeb.Endpoint, http: [port: 4000]\n",
			"config/config.exs": "if config_env() == :test do\n  config :my_app, MyAppWeb.Endpoint, http: [port: 4001]\nend\n",
		}, nil},
		{"two listeners", map[string]string{"config/prod.exs": "config :my_app, MyAppWeb.Endpoint,\n  http: [port: 80, transport_options: [max_connections: 9]],\n  https: [port: 443, transport_options: [max_connections: 8]]\n"},
			[]string{"Plug.Cowboy listener | MyAppWeb.Endpoint |  |  | 9", "Plug.Cowboy listener | MyAppWeb.Endpoint |  |  | 8"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{"lib/endpoint.ex": endpointModule}
			for name, text := range c.files {
				files[name] = text
			}
			equal(t, "inventory", rows(reviewed(t, files)), c.want)
		})
	}
}
