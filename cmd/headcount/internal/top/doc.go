// Package top is headcount top: the supervisors of a running program, live in a terminal.
//
// What it shows is a [State]. Its Update is a pure function from a message (a key, a size, what the program has told) to the
// next State and at most one effect, such as asking for a preview; its View makes the lines of the screen from it. Only
// [Run] touches a terminal and a network. Everything on the screen passes through cell, which escapes what a terminal would
// take for a command: names and reasons come from outside.
package top
