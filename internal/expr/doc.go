// Package expr is the language of rules at run time: sample expressions
// (fetches and converters), ACLs, conditions and log-format strings. They are
// compiled once into small typed programs and evaluated without allocation.
//
// It has no side effect but on variables and captures that the Env lends, does
// no I/O at run time (pattern files are read while compiling), starts no
// goroutine and never reads the clock: time comes in with the Env. It carries
// out no rule; it only says what an expression is worth and whether a condition
// holds.
//
// A compiled Expr, Cond, ACLs or Format is immutable and may be used by all
// loops at once. An Env and its Scratch belong to one loop. ProcVars may be used
// from everywhere.
//
// Life cycle: compile when a configuration is loaded, evaluate as long as the
// plan lives. A Value's bytes are valid until the next evaluation with the same
// Env. Fetches, converters and log variables are rows of tables (fetchTable,
// converterTable, logVariables): whoever adds one adds a row.
//
// Limits: the result of a converter has at most resultMax bytes and the results
// of one expression scratchMax together, a chain at most chainMax converters,
// a connection or exchange at most varsMax variables with varBytesMax bytes.
package expr
