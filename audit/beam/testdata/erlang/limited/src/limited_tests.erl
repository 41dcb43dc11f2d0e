-module(limited_tests).
-behaviour(supervisor).
init([]) -> {ok, {{simple_one_for_one, 1, 5}, []}}.
