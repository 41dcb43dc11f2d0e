# Every kind of token.
[0, 1_000, 0xFF_ff, 0o17, 0b1010, 1.5, 1.0e10, 1.0E-3, 123_456_789_012_345_678_901]
[?a, ?\n, ?\s, ?\\, ?", ?', ?#, ?(, ?é, ?\t]
[:a, :valid?, :fetch!, :a@b, :é, :"a b", :'c d', :"a#{b}c", :"\x41", true, false, nil]
[:+, :-, :*, :/, :**, :++, :--, :+++, :---, :<>, :==, :!=, :===, :!==, :=~, :<, :>, :<=, :>=, :&&, :||, :&&&, :|||, :!]
[:|>, :<<<, :>>>, :<<~, :~>>, :<~, :~>, :<~>, :<|>, :^^^, :~~~, :^, :&, :@, :=, :|, :., :.., :..., :"..//", :->, :<-, :\\, :::]
[:{}, :%{}, :<<>>, :%]
[a: 1, b?: 2, c!: 3, Foo: 4, é: 5, "f g": 6, 'h i': 7, "j#{k}": 8, nil: 9, do: 10, end: 11, if: 12, a@b: 13]
[+: 1, -: 2, <>: 3, |>: 4, and: 5, or: 6, in: 7, not: 8, when: 9, &: 10, @: 11, !: 12, ^: 13, ..: 14, ...: 15, .: 16]
[{}: 1, %{}: 2, <<>>: 3, %: 4, ->: 5, <-: 6, \\: 7, ||: 9, &&: 10, ==: 11, =: 12, *: 13, /: 14]
["", "plain", "\"quoted\"", "a\\", "tab\tnul\0bel\a\b\d\e\f\r\s\v", "\x41\x{42}\u0043\u{1F600}", "q\q"]
["#{a}", "a#{b}c#{d}e", "nested #{"in #{"deep #{x}"}"}", "#{%{a: "}"}}", "\#{no}", "# no", "#", "#a"]
["two
lines", "continued \
line"]
['list', 'l#{i}st', '', '\'', '"']
~s(parens \) #{a}) <> ~s[brackets \]] <> ~s{braces \}} <> ~s<angles \>> <> ~s/slash \// <> ~s|pipe \|| <> ~s"quote \"" <> ~s'single \''
[~w(a b c)a, ~w[a b]s, ~r/a\/b#{c}[0-9]+/iu, ~S(raw #{x} \n), ~R/a\/b/, ~D[2024-01-01], ~T[12:00:00], ~N[2024-01-01 00:00:00], ~c(list), ~C(raw)]

"""
A heredoc with "quotes", 'single' and """ + "" inside
  indented by two
#{a} at the beginning, at the end #{b}

\""" is no end, and \
this goes on
"""

"""
    """

  '''
  A charlist
    of lines
  '''

~S"""
Raw #{not} \n
\"""
"""

~s'''
  Outdented #{a}
 less
  '''

x = """
  In an assignment
  """

<<>>
<<1, 2, "abc", x::8, y::binary-size(n), z::little-signed-integer-size(16), rest::bits>>
<<a::size(8), <<b::8>>::binary>>
[1 | [2 | [3]]]
{}
{a}
{a, b, c}
{:ok, a: 1, b: 2}
[a, b, c: 1]
[
  a,
  b,
]
%{}
%{a: 1}
%{"a" => 1, :b => 2, c: 3}
%{a => b | c, d => e :: f}
%{map | a: 1, b: 2}
%{map | "a" => 1, "b" => 2}
%{f(x).y | a: 1}
%Foo{}
%Foo.Bar{a: 1}
%Foo{foo | a: 1}
%__MODULE__{a: 1}
%__MODULE__.Sub{}
%name{}
%^name{}
%@name{}
%_{}
%unquote(name){a: b}
%{
  a: 1,
  b: 2,
}
%{unquote_splicing(pairs)}
%{f x}
a; b; c
