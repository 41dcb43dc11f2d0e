import Config

config :core, :sessions, max_children: 5_000
