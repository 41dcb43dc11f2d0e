import Config

config :core, :sessions, max_children: 10, max_restarts: 20
config :core, jobs_limit: 40
