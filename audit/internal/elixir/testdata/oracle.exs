# Prints what Elixir's own parser makes of files, for the test that compares it with the reader.
#
#     elixir oracle.exs FILE_WITH_ONE_PATH_A_LINE
#
# For each file "=== ok" or "=== error MESSAGE", then its tree: one node a line, a node before what is in it, with the number
# of things in it, so that the lines tell the whole tree. "@line:column" is where a node begins; "@-" where the parser keeps no
# place. Nothing of the files is run.
defmodule Oracle do
  def main([list]) do
    for path <- list |> File.read!() |> String.split("\n", trim: true), do: IO.binwrite(file(path))
  end

  defp file(path) do
    options = [
      columns: true,
      token_metadata: true,
      literal_encoder: fn value, meta -> {:ok, {:__literal__, meta, [value]}} end
    ]

    case parse(File.read!(path), options) do
      {:ok, ast} -> ["=== ok\n", tree(ast)]
      {:error, message} -> ["=== error ", inspect(message, limit: 100), "\n"]
    end
  end

  # The parser raises for what is not text, such as bytes that are no UTF-8.
  defp parse(source, options) do
    case Code.string_to_quoted(source, options) do
      {:error, {_, message, token}} -> {:error, {message, token}}
      ok -> ok
    end
  rescue
    e -> {:error, e}
  end

  defp trees(list), do: Enum.map(list, &tree/1)

  # What the parser makes of texts with interpolation is told from what looks the same in the source by the modules in it, which
  # are bare atoms.
  defp tree({{:., _, [List, :to_charlist]}, meta, [parts]}), do: text("charlist", parts, meta)

  defp tree({{:., _, [:erlang, :binary_to_atom]}, _, [{:<<>>, meta, parts}, :utf8]}),
    do: text("atom", parts, meta)

  defp tree({{:., _, [Access, :get]}, _, [x, key]}), do: ["access\n", tree(x), tree(key)]

  # x.""() looks like x.() in the tree that the reader gives.
  defp tree({{:., meta, [target, :""]}, _, args}), do: tree({{:., meta, [target]}, meta, args})

  defp tree({{:., _, [target, name]}, meta, args} = call) do
    what = if meta[:no_parens], do: "select", else: "remote"
    [what, " ", escape(name), arity(args), start(call), tree(target) | trees(args)]
  end

  defp tree({{:., _, [target]}, _, args} = call),
    do: ["apply", arity(args), start(call), tree(target) | trees(args)]

  defp tree({target, _, args} = call) when is_tuple(target),
    do: ["apply", arity(args), start(call), tree(target) | trees(args)]

  # Of the number in &1 the parser keeps no place.
  defp tree(number) when is_integer(number), do: "number #{number}@-\n"
  defp tree({:__literal__, meta, [value]}), do: literal(value, meta)
  defp tree({:__block__, _, [one]}), do: tree(one)
  defp tree({:__block__, _, list}), do: ["block", arity(list), "\n" | trees(list)]

  defp tree({:__aliases__, meta, [first | rest] = parts}) do
    if is_atom(first),
      do: ["alias ", Enum.map_join(parts, ".", &Atom.to_string/1), at(meta)],
      else: ["alias_of ", Enum.map_join(rest, ".", &Atom.to_string/1), "\n", tree(first)]
  end

  defp tree({:.., meta, []}), do: ["name ..", at(meta)]
  defp tree({name, meta, nil}), do: ["name ", escape(name), at(meta)]
  defp tree({:fn, meta, clauses}), do: ["fn", at(meta), clauses(clauses)]
  defp tree({:{}, meta, args}), do: ["tuple", arity(args), at(meta) | trees(args)]

  defp tree({:%{}, _, [{:|, _, [map, pairs]}]}) when is_list(pairs),
    do: ["update", arity(pairs), "\n", tree(map) | Enum.map(pairs, &pair/1)]

  defp tree({:%{}, _, pairs}), do: ["map", arity(pairs), "\n" | Enum.map(pairs, &pair/1)]
  defp tree({:%, meta, [name, map]}), do: ["struct", at(meta), tree(name), tree(map)]

  defp tree({:<<>>, meta, parts}) do
    if Enum.any?(parts, &(is_binary(&1) or interpolation?(&1))),
      do: text("string", parts, meta),
      else: ["bits", arity(parts), at(meta) | trees(parts)]
  end

  defp tree({name, meta, args} = call) when is_atom(name) and is_list(args) do
    case {meta[:delimiter], Atom.to_string(name), args} do
      {"" <> _, "sigil_" <> sigil, [{:<<>>, _, parts}, modifiers]} ->
        text("sigil #{sigil} #{modifiers}", parts, meta)

      _ ->
        call(call)
    end
  end

  defp tree([{:->, _, _} | _] = list), do: clauses(list)
  defp tree(list) when is_list(list), do: ["keywords", arity(list), "\n" | Enum.map(list, &pair/1)]

  defp call({name, meta, args}) do
    place = if Macro.operator?(name, length(args)), do: "\n", else: at(meta)
    ["call ", escape(name), arity(args), place | trees(args)]
  end

  defp pair({key, value}), do: ["pair\n", tree(key), tree(value)]
  defp pair(other), do: tree(other)

  defp clauses(list), do: ["clauses", arity(list), "\n" | Enum.map(list, &clause/1)]

  defp clause({:->, _, [[{:when, _, list}], body]}) do
    {args, [guard]} = Enum.split(list, -1)
    ["clause", arity(args), " guard\n", trees(args), tree(guard), tree(body)]
  end

  defp clause({:->, _, [args, body]}), do: ["clause", arity(args), "\n", trees(args), tree(body)]

  defp literal(value, meta) when is_atom(value), do: ["atom ", escape(value), " 0", at(meta)]
  defp literal(value, meta) when is_integer(value), do: ["number #{value}", at(meta)]
  defp literal(value, meta) when is_float(value), do: ["float", at(meta)]
  defp literal(value, meta) when is_binary(value), do: text("string", [value], meta)
  defp literal({a, b}, meta), do: ["tuple 2", at(meta), tree(a), tree(b)]

  defp literal(list, meta) when is_list(list) do
    if meta[:delimiter],
      do: text("charlist", [List.to_string(list)], meta),
      else: ["list", arity(list), at(meta) | Enum.map(list, &pair/1)]
  end

  # A text is what is fixed of it and what is interpolated.
  defp text(what, parts, meta) do
    fixed = for part <- parts, is_binary(part), into: "", do: part
    inner = for part <- parts, not is_binary(part), do: interpolated(part)
    fixed = if what == "atom", do: escape(fixed), else: "#{byte_size(fixed)}:#{:erlang.crc32(fixed)}"
    [what, " ", fixed, arity(inner), at(meta) | trees(inner)]
  end

  defp interpolation?({:"::", _, [{{:., _, [Kernel, :to_string]}, _, _}, _]}), do: true
  defp interpolation?(_), do: false

  defp interpolated({:"::", _, [{_, _, [x]}, _]}), do: x
  defp interpolated({{:., _, [Kernel, :to_string]}, _, [x]}), do: x

  defp arity(list), do: " #{length(list)}"
  defp at(meta), do: "@#{meta[:line]}:#{meta[:column]}\n"

  # Where a call begins: where its target does.
  defp start(ast) do
    case first(ast) do
      nil -> "@-\n"
      meta -> at(meta)
    end
  end

  defp first({{:., _, [module, _]}, _, [x | _]}) when module in [Access], do: first(x)
  defp first({{:., _, [List, _]}, meta, _}), do: meta
  defp first({{:., _, [:erlang, _]}, meta, _}), do: meta
  defp first({{:., _, [target | _]}, _, _}), do: first(target)
  defp first({target, _, _}) when is_tuple(target), do: first(target)
  defp first({:__block__, _, _}), do: nil
  defp first({:__aliases__, _, [base | _]}) when is_tuple(base), do: first(base)
  defp first({:%{}, _, _}), do: nil

  defp first({name, meta, args}) when is_list(args) do
    if length(args) > 1 and Macro.operator?(name, length(args)), do: first(hd(args)), else: meta
  end

  defp first({_, meta, _}), do: meta
  defp first(_), do: nil

  defp escape(name) when is_atom(name), do: name |> Atom.to_string() |> escape()

  defp escape(name),
    do: for(<<c <- name>>, into: "", do: if(URI.char_unreserved?(c), do: <<c>>, else: "%" <> Base.encode16(<<c>>)))
end

Oracle.main(System.argv())
