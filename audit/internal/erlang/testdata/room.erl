%% A room of a chat: real-looking code with most of what the syntax has.
-module(room).
-behaviour(gen_server).

-include_lib("kernel/include/logger.hrl").

-export([start_link/2, join/2, leave/2, members/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2]).

-define(MAX_MEMBERS, 16#FF).
-define(HISTORY, 1_000).
-define(VIA(Id), {via, global, {?MODULE, Id}}).

-record(state, {id :: binary(), members = #{} :: #{pid() => map()}, history = queue:new() :: queue:queue()}).

-type state() :: #state{}.
-spec start_link(binary(), map()) -> {ok, pid()} | {error, term()}.

start_link(Id, #{limit := Limit} = Options) when is_binary(Id), Limit > 0; Limit =:= infinity ->
    gen_server:start_link(?VIA(Id), ?MODULE, {Id, Options}, []).

join(Room, Name) ->
    gen_server:call(Room, {join, self(), Name}, timer:seconds(5)).

leave(Room, Pid) -> gen_server:cast(Room, {leave, Pid}).

members(Room) ->
    [Name || {_Pid, #{name := Name}} <- gen_server:call(Room, members), Name =/= <<>>].

init({Id, Options}) ->
    process_flag(trap_exit, true),
    logger:set_process_metadata(#{room => Id, 'the options' => Options}),
    erlang:send_after(?HISTORY, self(), tick),
    {ok, #state{id = Id}}.

handle_call({join, Pid, _}, _From, #state{members = M} = State) when map_size(M) >= ?MAX_MEMBERS ->
    ?LOG_WARNING("room ~ts is full: ~p" " (~tp)", [State#state.id, Pid, M]),
    {reply, {error, full}, State};
handle_call({join, Pid, Name}, _From, State = #state{members = M}) ->
    Ref = erlang:monitor(process, Pid),
    M1 = M#{Pid => #{name => Name, ref => Ref, since => erlang:monotonic_time()}},
    {reply, ok, State#state{members = M1}};
handle_call(members, _From, State) ->
    {reply, maps:to_list(State#state.members), State}.

handle_cast({leave, Pid}, State) ->
    {noreply, remove(Pid, State)};
handle_cast(Other, State) ->
    case catch binary_to_existing_atom(Other, utf8) of
        {'EXIT', {badarg, _}} -> {noreply, State};
        stop when State#state.members =:= #{} -> {stop, normal, State};
        _ -> {noreply, State, hibernate}
    end.

handle_info({'DOWN', _Ref, process, Pid, _Reason}, State) ->
    {noreply, remove(Pid, State)};
handle_info(tick, State) ->
    Send = fun F([P | Rest]) -> P ! tick, F(Rest); F([]) -> ok end,
    Send(maps:keys(State#state.members)),
    lists:foreach(fun erlang:garbage_collect/1, [self()]),
    {noreply, State};
handle_info(<<Type:8, Size:16/big-unsigned, Body:Size/binary, _/binary>>, State) ->
    try decode(Type, Body) of
        {ok, Message} -> {noreply, keep(Message, State)};
        ignore -> {noreply, State}
    catch
        error:badarg:Stack -> ?LOG_ERROR(#{what => bad_message, stack => Stack}), {noreply, State};
        throw:{stop, Reason} -> {stop, Reason, State}
    after
        ok
    end.

decode($t, Body) -> {ok, unicode:characters_to_list(Body)};
decode($\n, _) -> ignore;
decode(_, <<"ping", Rest/binary>>) when byte_size(Rest) < 10 andalso Rest /= <<>> -> {ok, << <<(C bxor 16#20)>> || <<C>> <= Rest >>};
decode(_, _) -> throw({stop, "unknown type\x{41}\""}).

keep(Message, #state{history = H} = State) ->
    H1 = if
             length(Message) > 100; Message == [] -> H;
             true -> queue:in(Message, H)
         end,
    State#state{history = H1}.

remove(Pid, #state{members = M} = State) ->
    State#state{members = maps:remove(Pid, M)}.

terminate(_Reason, _State) ->
    receive
        {flush, From} -> From ! {self(), flushed}
    after 100 -> ok
    end.
