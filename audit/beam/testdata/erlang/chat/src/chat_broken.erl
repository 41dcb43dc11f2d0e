-module(chat_broken).
-behaviour(supervisor).

init([]) ->
    {ok, {{simple_one_for_one, 1, 5}, []}}. % want HC240 "chat_broken is a simple_one_for_one"

broken() ->
    case X of
        ) -> ok
    end.

fine() -> ok.
