-module(chat_socket).
-export([init/2, websocket_handle/2, websocket_info/2]).

init(Req, State) -> {cowboy_websocket, Req, State}.

websocket_handle({text, <<"join ", Id/binary>>}, State) ->
    {ok, Room} = chat_room_sup:start_room(Id),
    {[], State#{room => Room}};
websocket_handle({text, <<"find ", Query/binary>>}, State) ->
    Self = self(),
    spawn(fun() -> Self ! {found, chat_index:find(Query)} end), % want HC244 "for each request: route /ws -> chat_socket:websocket_handle/2 -> spawn"
    {[], State}.

websocket_info({found, Found}, State) ->
    proc_lib:spawn(chat_index, note, [Found]), % want HC243 "for each message"
    {[{text, Found}], State}.
