import Config

config :chat, Chat.Uploads, max_children: 25

config :chat, ChatWeb.Endpoint,
  url: [host: "localhost"],
  adapter: Bandit.PhoenixAdapter,
  pubsub_server: Chat.PubSub

config :chat, Oban,
  repo: Chat.Repo,
  queues: [default: 10, mailers: [limit: 20], imports: 5_000] # want HC212 "imports runs 5000 jobs"

import_config "#{config_env()}.exs"
