package beam

import (
	"regexp"
	"strings"
	"testing"
)

const erlSup = "-module(sup).\n-behaviour(supervisor).\n-export([start_link/0, init/1]).\n"

func TestErlangSupervisorsInAllTheirShapes(t *testing.T) {
	unlimited := "simple_one_for_one||simple_one_for_one|1 in 5s|unlimited"
	for name, c := range map[string]struct{ code, row string }{
		"tuple of flags":                    {`init([]) -> {ok, {{simple_one_for_one, 1, 5}, [c()]}}.`, unlimited},
		"map of flags":                      {`init([]) -> {ok, {#{strategy => simple_one_for_one}, [c()]}}.`, unlimited},
		"flags in a variable":               {`init([]) -> Flags = {simple_one_for_one, 1, 5}, {ok, {Flags, []}}.`, unlimited},
		"all in a variable":                 {`init(_) -> R = {ok, {{simple_one_for_one, 1, 5}, []}}, R.`, unlimited},
		"flags taken apart":                 {`init(_) -> S = simple_one_for_one, R = 1, {ok, {{S, R, 5}, []}}.`, unlimited},
		"flags in a macro":                  {"-define(FLAGS, {simple_one_for_one, 1, 5}).\ninit([]) -> {ok, {?FLAGS, []}}.", unlimited},
		"macro with parameters":             {"-define(SUP(S, Specs), {ok, {{S, 1, 5}, Specs}}).\ninit([]) -> ?SUP(simple_one_for_one, []).", unlimited},
		"flags in a function":               {"init([]) -> {ok, {flags(), []}}.\nflags() -> #{intensity => 1, strategy => simple_one_for_one}.", unlimited},
		"function with arguments":           {"init([]) -> sup_flags(simple_one_for_one, 1).\nsup_flags(S, I) -> {ok, {{S, I, 5}, []}}.", unlimited},
		"branches":                          {`init(X) -> case X of {a, _} -> {ok, {{simple_one_for_one, 1, 5}, []}}; _ -> ignore end.`, unlimited},
		"clauses":                           {"init(top) -> {ok, {{one_for_all, 2, 3}, []}};\ninit(room) -> {ok, {{simple_one_for_one, 1, 5}, []}}.", "supervisor||one_for_all|2 in 3s|declared\n" + unlimited},
		"changed map":                       {`init([]) -> D = #{strategy => one_for_one, intensity => 9}, {ok, {D#{strategy => simple_one_for_one, intensity => 1}, []}}.`, unlimited},
		"quoted atom":                       {`init([]) -> {ok, {{'simple_one_for_one', 1, 5}, []}}.`, unlimited},
		"numbers computed":                  {`init([]) -> {ok, {{simple_one_for_one, 2, 60 * 60}, []}}.`, "simple_one_for_one||simple_one_for_one|2 in 3600s|unlimited"},
		"registered name":                   {"-define(SERVER, the_sup).\nstart_link() -> supervisor:start_link({local, ?SERVER}, ?MODULE, []).\ninit([]) -> {ok, {{simple_one_for_one, 1, 5}, []}}.", "simple_one_for_one|the_sup|simple_one_for_one|1 in 5s|unlimited"},
		"defaults":                          {`init([]) -> {ok, {#{}, []}}.`, "supervisor||one_for_one|1 in 5s|declared"},
		"strategy not known":                {`init([S]) -> {ok, {#{strategy => S}, []}}.`, "supervisor|||1 in 5s|not known"},
		"flags not known":                   {`init([F]) -> {ok, {F, []}}.`, "supervisor||||not known"},
		"result not known":                  {`init([]) -> other:flags().`, "supervisor||||not known"},
		"bound in two branches":             {"init(X) -> case X of a -> S = one_for_one; b -> S = simple_one_for_one end, {ok, {{S, 1, 5}, []}}.", "supervisor|||1 in 5s|not known"},
		"one set of flags for two branches": {"init(X) -> F = {simple_one_for_one, 1, 5}, case X of a -> {ok, {F, []}}; b -> {ok, {F, [c()]}} end.", unlimited},
		"ignored":                           {`init([]) -> ignore.`, ""},
		"in a circle":                       {"init([]) -> a().\na() -> b().\nb() -> a().", "supervisor||||not known"},
		"two definitions":                   {"-ifdef(X).\n-define(S, one_for_one).\n-else.\n-define(S, simple_one_for_one).\n-endif.\ninit([]) -> {ok, {{?S, 1, 5}, []}}.", "supervisor|||1 in 5s|not known"},
	} {
		result := erlReviewed(t, map[string]string{"sup.erl": erlSup + c.code + "\n"})
		if got := strings.TrimSuffix(erlRows(result), "\n"); got != c.row {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.row)
		}
		if want := strings.Count(c.row, "unlimited"); len(result.Findings) != want {
			t.Errorf("%s: %d findings, want %d: %v", name, len(result.Findings), want, result.Findings)
		}
	}
}

func TestErlangModuleWithoutTheBehaviourIsASupervisorWhereItIsStartedAsOne(t *testing.T) {
	code := "-module(m).\nstart_link() -> supervisor:start_link(?MODULE, []).\ninit([]) -> {ok, {{simple_one_for_one, 1, 5}, []}}.\n"
	if got := erlReviewed(t, map[string]string{"m.erl": code}); len(got.Findings) != 1 {
		t.Errorf("%+v", got)
	}
	if got := erlReviewed(t, map[string]string{"m.erl": strings.Replace(code, "supervisor:", "gen_server:", 1)}); len(got.Supervisors) != 0 {
		t.Errorf("a server is none: %+v", got)
	}
}

func TestErlangListenersTellTheirLimit(t *testing.T) {
	for code, want := range map[string]string{
		`cowboy:start_clear(l, [{port, 80}], #{})`:                               "1024 by default, for each supervisor of connections in Ranch 2, in total in Ranch 1",
		`cowboy:start_http(l, 100, [{port, 80}], [])`:                            "1024 by default, in total",
		`ranch:start_listener(l, 10, ranch_tcp, [{max_connections, 50}], h, [])`: "50 in total",
		`ranch:start_listener(l, ranch_ssl, #{max_connections => ?MAX}, h, [])`:  "70 for each supervisor of connections in Ranch 2, in total in Ranch 1",
		`ranch:child_spec(l, ranch_tcp, #{num_conns_sups => 3}, h, [])`:          "1024 by default, for each supervisor of connections, 3072 in total",
		`cowboy:start_tls(l, [{port, 443}] ++ Opts, #{})`:                        "",
		`cowboy:start_tls(l, maps:merge(#{}, Opts), #{})`:                        "",
		`cowboy:start_clear(l, [inet6 | [{max_connections, infinity}]], #{})`:    "infinity",
		`ranch:start_listener(l, ranch_tcp, #{max_connections => Opts}, h, [])`:  "",
	} {
		result := erlReviewed(t, map[string]string{"m.erl": "-module(m).\n-define(MAX, 70).\nstart(Opts) -> " + code + ".\n"})
		if len(result.Supervisors) != 1 || result.Supervisors[0].Text != want {
			t.Errorf("%s: %+v, want %q", code, result.Supervisors, want)
		}
		if open := want == "infinity"; open != (len(result.Findings) == 1) {
			t.Errorf("%s: findings %v", code, result.Findings)
		}
	}
}

var erlExample = regexp.MustCompile("(?s)## (Bad|Good)\n\n```erlang\n(.*?)```")

// erlAround is what stands before the examples of a page.
var erlAround = map[string]string{
	"HC240": "-module(m).\n-behaviour(supervisor).\n",
	"HC241": "-module(m).\n-behaviour(supervisor).\n",
	"HC242": "-module(m).\nstart(Dispatch) -> ",
	"HC243": "-module(m).\n-behaviour(gen_server).\n",
	"HC244": "-module(m).\n-behaviour(cowboy_websocket).\n",
	"HC245": "-module(m).\n",
	"HC246": "-module(m).\n-behaviour(supervisor).\n-behaviour(gen_server).\n",
}

func TestErlangExamplesOfThePagesAreFoundAndDoubted(t *testing.T) {
	for _, r := range Rules() {
		around, ok := erlAround[r.ID]
		if !ok {
			continue
		}
		examples := erlExample.FindAllStringSubmatch(r.Page, -1)
		if len(examples) != 2 {
			t.Errorf("%s: %d examples", r.ID, len(examples))
		}
		for _, e := range examples {
			code := around + strings.TrimSpace(e[2])
			code = strings.TrimSuffix(strings.TrimSuffix(code, "."), ";") + ".\n"
			result := erlReviewed(t, map[string]string{"m.erl": code})
			if len(result.Unread) > 0 {
				t.Errorf("%s: %v", r.ID, result.Unread)
			}
			sure := 0
			for _, f := range result.Findings {
				if f.Rule == r.ID && f.Confidence > 1 {
					sure++
				}
			}
			if bad := e[1] == "Bad"; bad != (sure == 1) {
				t.Errorf("%s: the %s example gives %v", r.ID, e[1], result.Findings)
			}
		}
	}
}
