-module(limited_sup).
-behaviour(supervisor).
-export([start_link/0, open/1, init/1]).

-define(MAX_SESSIONS, 1000).

start_link() -> supervisor:start_link({local, ?MODULE}, ?MODULE, []).

open(Arg) ->
    Active = proplists:get_value(active, supervisor:count_children(?MODULE)),
    if
        Active >= ?MAX_SESSIONS -> {error, max_children};
        true -> supervisor:start_child(?MODULE, [Arg])
    end.

init([]) -> {ok, {{simple_one_for_one, 1, 5}, [{session, {session, start_link, []}, temporary, 5000, worker, [session]}]}}. % want HC240 "asked for before each start"
