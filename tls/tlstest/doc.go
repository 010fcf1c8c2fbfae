// Package tlstest makes certificates for tests.
//
// It issues what a test asks for and writes it as PEM; it speaks no TLS.
//
// An Authority belongs to one test. It starts nothing and keeps nothing open.
//
// An Authority lives as long as its test; the files that it writes go with the
// test's folder.
//
// Limits: serial numbers count from 1 for each Authority.
package tlstest
