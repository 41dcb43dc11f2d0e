# Every way to call, and where a do-block goes.
f
f()
f(a)
f(a, b, c: 1, d: 2)
f(a, [c: 1])
f(c: 1)
f(
  a,
  b
)
f(a, b, c: 1,)
f a
f a, b
f a, b, c: 1, d: 2
f c: 1
f [a]
f (a)
f {a}
f %{a: 1}
f %A{}
f <<a>>
f "a"
f 'a'
f :a
f ~s(a)
f ?a
f 1
f A
f !a
f ^a
f not a
f &g/1
f @a
f fn -> a end
f g
f g a
f g h a, b
f a, g b
f a, g(b, c)
f a: g b
f(g a)
f(g a, b)
f(a, g b)
f[a]
f[a: 1]
f[a][b]
f(a)[b]
f.a[b]
f.(a)
f.()
f.(a).(b)
f.a.(b)
f.a
f.a.b.c
f.a()
f.a(b)
f.a b
f.a b, c: d
f."quoted name"
f."quoted name"(a)
f."quoted name" a
f.'quoted name'[a]
f.+(a)
f.end
f.do()
f.if(a)
f.nil
f.Bar
f.{a, b}
Foo.f
Foo.f()
Foo.f a
Foo.f(a)(b)
f(a)(b)
f(a)(b) do
end
Foo.Bar.f(a)
Foo . Bar
Foo.{A, B.C, D}
alias Foo.{A, B}
alias Foo.{
  A,
  B
}
Foo.{}
:mod.f(a)
:"mod with space".f(a)
__MODULE__.f(a)
__MODULE__.Sub.f(a)
unquote(a).f(b)
a.unquote(b)(c)
@mod.f(a)
(a).f(b)
"a".f
%{a: 1}.a
[a].b
{a}.b
[1] [0]
Foo [a]
(a)
(a; b)
(
  a
  b
)
(;)
()
f (a; b)

f do
end

f do a end
f do a; b end
f do
  a
else
  b
end
f a do
  b
end
f a, b do
  c
end
f(a) do
  b
end
f a: 1 do
  b
end
Foo.f do
  a
end
Foo.f a do
  b
end
Foo.f(a) do
  b
end
f.() do
end
f.(a) do
end
f g a do
  b
end
f g do
  b
end
f g(a) do
  b
end
f(g a do
  b
end)
f(g do
  b
end, c)
x = f a do
  b
end
a + f b do
  c
end
f a + g b do
  c
end
a |> f do
  b
end
[f a do
  b
end]
f fn a -> b end do
  c
end
f a, do: b
f a, do: b, else: c
f a, do: (b; c)
f a do
  b
rescue
  e in [A, B] -> c
  e -> d
catch
  :exit, r -> r
  x -> y
else
  z -> w
after
  v
end
f a do
after
end

fn -> end
fn -> a end
fn a -> b end
fn a, b -> c end
fn (a, b) -> c end
fn () -> a end
fn a when b -> c end
fn a, b when c when d -> e end
fn (a, b) when c -> d end
fn (a, b) when c <- d -> e end
fn (a, b when c) -> d end
fn a, b: c when d -> e end
fn (a when b) -> c end
fn () when a -> b end
fn a: 1 -> b end
fn (a: 1) -> b end
fn a, b: 1 -> c end
fn
  a -> b
  c -> d
end
fn a -> b; c -> d end
fn a ->
  b
  c

  d ->
    e
end
fn {a, b}, [c | d], %{e: f} = g, <<h>> -> i end
fn _ -> if a do b end end
f fn a -> b end, c
f(fn a -> b end)
f a, fn
  b -> c
end

case a do
  b -> c
  d when e -> f
  (g) -> h
  (i; j) -> k
  l ->
    m
    n
end |> r

cond do
  a -> b
  true -> c
end

with {:ok, a} <- b,
     c = d,
     true <- e do
  f
else
  g -> h
end

receive do
  a -> b
after
  5_000 -> c
end

for a <- b, c <- d, e > f, into: %{}, do: {g, h}
for <<a <- b>>, do: a
quote do: a
quote do
  unquote(a)
end
@type t :: (integer, binary -> atom)
@type t :: (-> atom)
@type t :: (... -> atom)
@callback f(a :: integer) :: {:ok, b} when b: var
def a + b, do: c
def unquote(name)(a), do: b
def f(a, b \\ c) when d and e do
  f
rescue
  _ -> g
end
defmacro unquote(:"quoted name")(a), do: a
