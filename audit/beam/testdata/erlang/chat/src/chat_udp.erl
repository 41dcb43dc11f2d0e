-module(chat_udp).
-behaviour(gen_server).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

init(Port) -> gen_udp:open(Port, [binary, {active, true}]).

handle_info({udp, _Socket, From, _Port, Packet}, State) ->
    received(From, Packet),
    {noreply, State};
handle_info({'EXIT', _, _}, State) ->
    reopen(),
    {noreply, State}.

received(From, Packet) ->
    spawn_opt(fun() -> chat_index:note({From, Packet}) end, [{min_heap_size, 1000}]). % want HC243 "chat_udp:handle_info/2 -> chat_udp:received/2 -> spawn_opt"

reopen() -> spawn_link(fun() -> ok end).

handle_call(_, _, State) -> {noreply, State}.
handle_cast(_, State) -> {noreply, State}.
