%% A server of lines on a socket of its own, as it was before Ranch.
-module(chat_line).
-export([listen/1, accept/1, start_link/3]).

listen(Port) ->
    {ok, Listen} = gen_tcp:listen(Port, [binary, {active, false}]),
    [spawn_link(fun() -> one_by_one(Listen) end) || _ <- lists:seq(1, 4)],
    spawn_link(?MODULE, accept, [Listen]).

accept(Listen) ->
    case gen_tcp:accept(Listen) of
        {ok, Socket} ->
            Pid = spawn(fun() -> receive go -> serve(Socket) end end), % want HC245 "chat_line:accept/1 -> spawn"
            ok = gen_tcp:controlling_process(Socket, Pid),
            Pid ! go,
            accept(Listen);
        {error, closed} -> ok
    end.

one_by_one(Listen) ->
    {ok, Socket} = gen_tcp:accept(Listen),
    serve(Socket),
    one_by_one(Listen).

serve(Socket) -> gen_tcp:close(Socket).

start_link(Ref, _Transport, _Opts) ->
    {ok, proc_lib:spawn_link(fun() -> ranch:handshake(Ref) end)}.
