-module(chat_app).
-behaviour(application).
-export([start/2, stop/1]).

start(_Type, _Args) ->
    Dispatch = cowboy_router:compile([
        {'_', [
            {"/ws", chat_socket, #{}},
            {"/api/rooms/:id", chat_rooms_handler, []}
        ]}
    ]),
    {ok, _} = cowboy:start_clear(chat_http, #{socket_opts => [{port, 8080}], max_connections => infinity}, % want HC242 "chat_http has max_connections infinity"
                                 #{env => #{dispatch => Dispatch}}),
    {ok, _} = cowboy:start_tls(chat_https, [{port, 8443}, {certfile, "cert.pem"}], #{env => #{dispatch => Dispatch}}),
    {ok, _} = ranch:start_listener(chat_tcp, ranch_tcp, #{max_connections => 100, num_conns_sups => 4}, chat_line, []),
    ranch:set_max_connections(chat_line, infinity), % want HC242 "chat_line"
    chat_sup:start_link().

stop(_State) -> ok.
