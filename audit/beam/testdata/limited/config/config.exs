import Config

config :shop, Oban, repo: Shop.Repo, queues: [default: 10]

config :shop, Shop.Endpoint,
  http: [port: 4000, transport_options: [max_connections: 5_000]]
