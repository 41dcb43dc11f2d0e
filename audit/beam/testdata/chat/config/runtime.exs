import Config

if config_env() == :prod do
  port = String.to_integer(System.get_env("PORT") || "4000")

  config :chat, ChatWeb.Endpoint,
    http: [ip: {0, 0, 0, 0}, port: port] # want HC211 "1638400 in total"
end
