defmodule Web.Router do
  use Phoenix.Router

  scope "/api", Web, as: :api do
    scope "/v1" do
      get "/feeds/:id", FeedController, :show
    end
  end
end

defmodule Web.FeedController do
  use Phoenix.Controller

  def show(conn, %{"id" => id}) do
    Core.follow(id)
    json(conn, %{})
  end
end
