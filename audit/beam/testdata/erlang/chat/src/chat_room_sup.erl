-module(chat_room_sup).
-behavior(supervisor).
-include("chat.hrl").
-export([start_link/0, start_room/1, init/1]).

start_link() ->
    supervisor:start_link({local, ?ROOMS}, ?MODULE, []).

start_room(Id) ->
    supervisor:start_child(?ROOMS, [Id]).

init(_) ->
    Flags = #{strategy => ?STRATEGY, intensity => 5, period => 10}, % want HC240 "route /ws -> chat_socket:websocket_handle/2 -> chat_room_sup:start_room/1 -> start_child"
    {ok, {Flags, [#{id => room, start => {chat_room, start_link, []}, restart => temporary}]}}.
