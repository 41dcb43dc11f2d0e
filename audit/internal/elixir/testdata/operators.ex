# Every operator, and on which line it may stand.
a = b = c
a \\ b
a <- b
a when b when c
a :: b | c
f(a) when a: term, b: var
a | b | c
a || b or c ||| d
a && b and c &&& d
a == b != c =~ d === e !== f
a < b > c <= d >= e
a |> b <<< c >>> d <<~ e ~>> f <~ g ~> h <~> i <|> j
a in b
a not in b
not a in b
!a in b
not(a) in b
(not a) in b
a in b in c
a not in b not in c
a ^^^ b
a ++ b -- c +++ d --- e <> f
a..b
a..b//c
1..10//-1
..
[.., a..b]
a + b - c * d / e ** f
-a + +b - -c
not a and !b or ~~~c
^a = b
@a
@a 1
@a.b
@a[:b]
@a[:b][:c].d
@@a[b].c
@Foo.Bar
@a + 1
@spec f(integer, binary) :: {:ok, term} | :error when x: term
&1
&1.name
&1 + &2
&f/1
&Foo.f/2
&Foo.Bar.f/2
&(&1 + &2)
& &1.a.b(&2)
&f(&1, b)
&{&1, &2}
&[&1 | &2]
&"#{&1}"
&+/2
&&/2
&&&/2
&and/2
&not/1
&../2
&..///3
&//2
&@/1
&!/1
&Kernel.+/2
&a.b/1
& &1
&1_0 |> f
&?a |> f

a
|> b
|> c(1)
# a comment between
|> d

a |>
  b

a
++ b
a
+ b
a
- b

a
and b
or c

x
when y

a =
  b

a = b ||
  c

a
.b
.c()

a.
  b

a.
# a comment behind the dot
b

a ++
  # a comment before the operand
  b

f a,
  b,
  c: d

f -1
f - 1
f -a
f - a
f -(a)
f +1
f -[a]
a.f -1
@f -1
f(-1)
a -1 - 2
Foo.f -a, b
x = a \
  + b
not if a do
  b
end and c
@a if b do
  c
end |> d
-f do
end + 1
x = if a do
  b
end || c
