defmodule Core.Application do
  use Application

  @jobs_limit Application.compile_env(:core, :jobs_limit, 5)

  def start(_type, _args) do
    children = [
      {Core.Sessions, Application.fetch_env!(:core, :sessions)},
      {Task.Supervisor, name: Core.Jobs, max_children: @jobs_limit},
      {Task.Supervisor, name: Core.Mail, max_children: Application.get_env(:core, :mail_limit)},
      {DynamicSupervisor, name: Core.Feeds, max_children: Application.get_env(:core, :feeds, :infinity)}, # want HC201 "max_children: :infinity: router -> FeedController.show -> Core.follow -> Feeds.handle_call -> start_child"
      Core.Feeds
    ]

    Supervisor.start_link(children, strategy: :one_for_one)
  end
end
