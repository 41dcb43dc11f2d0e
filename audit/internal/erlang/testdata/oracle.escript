#!/usr/bin/env escript
%% Reads names of files from its input and writes what Erlang's own parser finds in each: functions with their line, and
%% under each its calls. Macros stay as they are written.
-mode(compile).

main(_) ->
    io:setopts([{encoding, unicode}]),
    each(io:get_line("")).

each(eof) -> ok;
each(Line) ->
    File = string:trim(Line),
    io:format("FILE ~ts~n", [File]),
    case epp_dodger:parse_file(File) of
        {ok, Forms} -> lists:foreach(fun form/1, Forms);
        _ -> io:format("UNREAD~n")
    end,
    each(io:get_line("")).

form(Form) ->
    try erl_syntax:type(Form) of
        function ->
            Name = name(erl_syntax:function_name(Form)),
            io:format("F ~ts/~w ~w~n", [Name, erl_syntax:function_arity(Form), line(Form)]),
            lists:foreach(fun(C) -> io:format("C ~ts~n", [C]) end, lists:sort(calls(Form)));
        error_marker -> io:format("UNREAD~n");
        _ -> ok
    catch _:_ -> io:format("UNREAD~n")
    end.

line(Form) -> erl_anno:line(erl_syntax:get_pos(Form)).

calls(Form) ->
    erl_syntax_lib:fold(
        fun(Node, Found) ->
            case erl_syntax:type(Node) of
                application ->
                    Arity = length(erl_syntax:application_arguments(Node)),
                    [io_lib:format("~ts/~w", [callee(erl_syntax:application_operator(Node)), Arity]) | Found];
                _ -> Found
            end
        end, [], Form).

callee(Node) ->
    case erl_syntax:type(Node) of
        module_qualifier ->
            [name(erl_syntax:module_qualifier_argument(Node)), ":", name(erl_syntax:module_qualifier_body(Node))];
        _ -> name(Node)
    end.

name(Node) ->
    case erl_syntax:type(Node) of
        atom -> io_lib:format("~ts", [atom_to_list(erl_syntax:atom_value(Node))]);
        variable -> atom_to_list(erl_syntax:variable_name(Node));
        macro -> ["?", macro(erl_syntax:macro_name(Node))];
        _ -> "_"
    end.

macro(Name) ->
    case erl_syntax:type(Name) of
        atom -> atom_to_list(erl_syntax:atom_value(Name));
        variable -> atom_to_list(erl_syntax:variable_name(Name))
    end.
