defmodule ChatWeb.ReportController do
  use ChatWeb, :controller

  def create(conn, %{"ids" => ids}) do
    reports =
      ids
      |> Task.async_stream(&Chat.Reports.build/1, max_concurrency: :infinity, timeout: 30_000) # want HC206 "router -> ReportController.create"
      |> Enum.map(fn {:ok, report} -> report end)

    Task.async_stream(ids, &Chat.Reports.mail/1, max_concurrency: 8) |> Stream.run()
    json(conn, reports)
  end
end
