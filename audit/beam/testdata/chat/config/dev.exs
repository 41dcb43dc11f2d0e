import Config

config :chat, Chat.Uploads, max_children: :infinity
config :chat, ChatWeb.Endpoint, http: [port: 4000, thousand_island_options: [num_connections: :infinity]]
