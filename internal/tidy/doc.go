// Package tidy keeps the habits of this repository: it is a set of tests and
// nothing else.
//
// It checks which package may import which, sizes of files and functions,
// names, comments on states, doc.go of every package, and what pure and hot
// code must not touch. It does not judge taste, and it does not repair
// anything: gofmt, vet and staticcheck do their own part.
//
// The source tree is parsed once and then only read, so the tests may run at
// the same time. No goroutine, no lock, nothing is type-checked.
//
// A test run reads every Go file below the module's root, checks it and ends.
// A rule may be broken where exceptions.txt gives the reason; an exception
// that is no longer needed fails as well, so that the list can only shrink.
//
// Limits: 70 lines for a function, 700 for a file, 4 tabs of indentation,
// 4 parameters, and a whole run well under two seconds.
package tidy
