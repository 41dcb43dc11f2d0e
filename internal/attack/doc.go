// Package attack holds attackers with a budget. Each plays one known attack on an HTTP service against a server on
// this machine, so that a defence can be tried out and its claims be measured.
//
// An attacker takes no more than its [Budget]: so many connections at once, so many bytes a second, so many identities,
// for so long. It ends by itself, leaves nothing running, and refuses any address that is not a loopback address. It
// plays many clients by connecting from many addresses of 127.0.0.0/8, which Linux allows without any preparation;
// other systems do not.
//
// What an attack does to a server is judged elsewhere, from outside both (package trial).
package attack
