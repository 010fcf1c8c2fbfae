// Package scenario is the list of what the benchmark measures, as data.
//
// It runs nothing and knows no contender's way of doing things: a Scenario says
// what load comes and what the proxy shall do with it. To add one, add a row to
// the table (table.go).
//
// Scenarios are immutable values; any number of goroutines may use them.
//
// Life cycle: All or Select, once.
//
// Load.Connections and Proxy.Servers are at most connectionsMax and serversMax.
package scenario
