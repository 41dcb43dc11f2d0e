-module(chat_index).
-behaviour(gen_server).
-export([start_link/0, find/1, note/1, init/1, handle_call/3, handle_cast/2, handle_info/2]).

-record(state, {worker, jobs = []}).

start_link() -> gen_server:start_link({local, ?MODULE}, ?MODULE, [], []).

find(Query) -> gen_server:call(?MODULE, {find, Query}).
note(Word) -> gen_server:cast(?MODULE, {note, Word}).

init([]) ->
    spawn_link(fun() -> warm() end), % once in its life
    erlang:send_after(1000, self(), tick),
    timer:send_interval(5000, {sweep, all}),
    {ok, #state{}}.

handle_call({find, Query}, From, State) ->
    spawn_link(fun() -> gen_server:reply(From, search(Query)) end), % want HC243 "chat_socket:websocket_handle/2 -> chat_index:find/1 -> chat_index:handle_call/3 -> spawn_link"
    {noreply, State};
handle_call({slow, Query}, From, State) -> % nobody outside sends this one
    spawn_link(fun() -> gen_server:reply(From, search(Query)) end), % want HC243 "message: chat_index:handle_call/3 -> spawn_link"
    {noreply, State};
handle_call(rebuild, _From, #state{worker = undefined} = State) ->
    Pid = spawn_link(fun warm/0),
    {reply, ok, State#state{worker = Pid}};
handle_call(stop, _From, State) ->
    spawn(fun warm/0),
    {stop, normal, ok, State}.

handle_cast({note, _}, State) ->
    case State#state.worker of
        undefined -> {noreply, State#state{worker = spawn_link(fun warm/0)}};
        _ -> {noreply, State}
    end.

handle_info(tick, State) ->
    spawn(fun warm/0),
    {noreply, State};
handle_info({sweep, _}, State) ->
    spawn(fun warm/0),
    {noreply, State};
handle_info({'DOWN', _, process, _, _}, State) ->
    spawn(fun warm/0),
    {noreply, State}.

search(Q) -> Q.
warm() -> ok.
