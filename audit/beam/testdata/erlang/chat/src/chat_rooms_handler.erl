-module(chat_rooms_handler).
-behaviour(cowboy_handler).
-export([init/2]).

init(Req0, State) ->
    notify(cowboy_req:binding(id, Req0)),
    {Pid, Ref} = spawn_monitor(fun() -> exit(render(Req0)) end), % waited for: one for each connection
    receive
        {'DOWN', Ref, process, Pid, Body} -> {ok, cowboy_req:reply(200, #{}, Body, Req0), State}
    after 5000 ->
        exit(Pid, kill),
        {ok, cowboy_req:reply(504, Req0), State}
    end.

render(_) -> <<"ok">>.

notify(Id) ->
    erlang:spawn(chat_index, note, [Id]). % want HC244 "chat_rooms_handler:notify/1"
