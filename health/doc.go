// Package health says which servers stand: it checks them, and it judges what
// live traffic tells of them.
//
// It moves no sessions and knows no balancer: what it finds goes to the Report
// function of a Target. It resolves no names, writes no log (it only makes the
// lines that HAProxy would write), and starts no goroutines: a check is a handler
// on an evloop.
//
// A Checker belongs to one loop. Its methods are for that loop's goroutine, but
// Observed and Observe, which any goroutine may call. A Verdict is a plain state
// machine without a lock or a clock; it belongs to its Checker, or to whoever
// made it. Specs are copied and may be shared.
//
// Life cycle: NewChecker, Start, reports until Stop; a stopped Checker may be
// started again. A check ends by its result or by its deadline, and the next one
// begins an interval after that, so a server never has two checks at once.
//
// Limits: one connection per Checker; at most Spec.BufSize bytes of an answer,
// stepsMax steps, infoMax bytes of explanation; each check has a deadline.
package health
