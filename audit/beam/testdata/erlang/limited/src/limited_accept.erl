-module(limited_accept).
-export([accept/2]).

-define(MAX_CONNECTIONS, 100).

accept(Listen, N) when N >= ?MAX_CONNECTIONS ->
    receive {'DOWN', _, process, _, _} -> accept(Listen, N - 1) end;
accept(Listen, N) ->
    {ok, Socket} = gen_tcp:accept(Listen),
    {_, _} = spawn_monitor(fun() -> serve(Socket) end), % want HC245 "each connection"
    accept(Listen, N + 1).

serve(Socket) -> gen_tcp:close(Socket).
