// Package rounds carries out a scenario: it starts the server and all contenders,
// checks that each does what it shall, and then gives them their turns A B C A B C
// under the same load.
//
// It judges nothing: what the kernel, the server and the generator have counted
// goes into a result.Scenario as it is.
//
// A Bench belongs to one goroutine. The programs that it starts are children of
// its Starter and end with the scenario, or with the benchmark.
//
// Life cycle: fill a Bench once, Run for each scenario, in turn.
//
// Every wait has a bound: a program has readyMax to accept, a load warmMax to
// reach the servers.
package rounds
