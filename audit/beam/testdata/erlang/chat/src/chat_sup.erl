-module(chat_sup).
-behaviour(supervisor).
-export([start_link/0, init/1]).

-define(SERVER, ?MODULE).
-define(CHILD(I, Type), {I, {I, start_link, []}, permanent, 5000, Type, [I]}).

start_link() -> supervisor:start_link({local, ?SERVER}, ?MODULE, []).

init([]) ->
    {ok, {{one_for_one, 1000000, 1}, [?CHILD(chat_room_sup, supervisor), ?CHILD(chat_index, worker)]}}. % want HC241 "chat_sup allows 1000000 restarts in 1s"
