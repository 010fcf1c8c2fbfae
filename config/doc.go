// Package config turns haproxy.cfg text into a proxy.Config.
//
// It works in three layers: lines become words with positions (quotes,
// escapes, environment, conditional blocks), words become a syntax tree, and a
// table of keywords, one row each, fills plain structs. The same table prints
// docs/compat.md and the "did you mean" hints.
//
// It opens no sockets, resolves no names and applies nothing to the process:
// what only a command needs (daemon, chroot, user) is handed back in Process.
// ACLs, rules and formats stay words; package proxy compiles them. It reads
// files only through Env: the configuration itself, error pages and the
// password database.
//
// Nothing here is kept: Load starts no goroutine and takes no lock, the tables
// are never written, and a Result belongs to its caller. Several loads may run
// at once.
//
// A load ends when every line has been looked at: then all errors come back
// together, sorted by position, each with its file and line.
//
// Limits: lineBytesMax bytes in a line after expansion, wordsMax words,
// nestedBlocksMax nested .if blocks, fileBytesMax bytes in a file and
// templateServersMax servers from one server-template.
package config
