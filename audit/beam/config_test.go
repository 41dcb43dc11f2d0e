package beam

import "testing"

func TestConfigurationIsResolvedAsMixReadsIt(t *testing.T) {
	code := func(limit string) string {
		return children(`[{DynamicSupervisor, name: MyApp.Rooms, max_children: ` + limit + `}]`)
	}
	const is = "DynamicSupervisor | MyApp.Rooms | one_for_one | 3 in 5s | "
	config := map[string]string{
		"config/config.exs":  "import Config\nconfig :my_app, rooms: 5, other: nil\nconfig :my_app, MyApp.Rooms, max: 7, nested: [max: 8]\n",
		"config/dev.exs":     "import Config\nconfig :my_app, rooms: 1\n",
		"config/prod.exs":    "import Config\nconfig :my_app, rooms: 6\nconfig :my_app, MyApp.Rooms, more: 9\n",
		"config/runtime.exs": "import Config\nconfig :my_app, env: String.to_integer(System.fetch_env!(\"MAX\"))\n",
	}
	for limit, want := range map[string]string{
		"Application.get_env(:my_app, :rooms)":                                            "6",
		"Application.fetch_env!(:my_app, :rooms)":                                         "6",
		"Application.compile_env(:my_app, :rooms, 99)":                                    "6",
		"Application.get_env(:my_app, :unsaid, 99)":                                       "99",
		"Application.get_env(:my_app, :unsaid)":                                           "not known",
		"Application.get_env(:other_app, :rooms)":                                         "not known",
		"Application.get_env(:my_app, MyApp.Rooms)[:max]":                                 "7",
		"Application.get_env(:my_app, MyApp.Rooms)[:more]":                                "9",
		"Application.get_env(:my_app, MyApp.Rooms) |> Keyword.get(:max)":                  "7",
		"Keyword.get(Application.get_env(:my_app, MyApp.Rooms), :none, 3)":                "3",
		"Application.compile_env!(:my_app, [MyApp.Rooms, :nested, :max])":                 "8",
		"Application.get_env(:my_app, :env)":                                              `expression (String.to_integer(System.fetch_env!("MAX")))`,
		"Application.get_env(:my_app, :other) || 11":                                      "11",
		"Application.get_env(app(), :rooms)":                                              "not known",
		"Application.get_env(:my_app, :rooms) * 10":                                       "60 (Application.get_env(:my_app, :rooms) * 10)",
		"Application.get_env(:my_app, MyApp.Rooms, max: 1) |> Map.new() |> Map.get(:max)": "7",
	} {
		t.Run(limit, func(t *testing.T) {
			files := map[string]string{"lib/a.ex": code(limit)}
			for name, text := range config {
				files[name] = text
			}
			result := reviewed(t, files)
			if len(result.Unread) > 0 {
				t.Fatal(result.Unread)
			}
			equal(t, "inventory", rows(result), []string{is + want})
		})
	}
}
