// Package tests holds the behaviour tests of Headcount that need packages, so that the root module requires none:
// the rules of OTP (docs/otp.md names the test of each) and the traps that other libraries of the field fell into.
// They use the public API only and count from inside the functions that run.
package tests
