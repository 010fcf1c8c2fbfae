// Package pattern compares samples with lists of patterns: exact strings,
// prefixes, suffixes, parts, regular expressions, numbers and networks. ACLs
// and maps stand on it.
//
// It does no I/O (the text of a pattern file is handed in), starts no goroutine
// and knows nothing of requests: what is compared comes in as bytes, a number or
// an address.
//
// A Set and a Regexp are immutable and may be used by all loops at once. A
// Machine, the working memory of a capturing match, belongs to one loop.
//
// Life cycle: Compile when a configuration is loaded, Find for each request, no
// end. No Find allocates.
//
// Big lists are fast: exact strings stand in a hash table, prefixes and suffixes
// in sorted tables with links to the next shorter one, networks in sorted
// ranges; all of these cost a few comparisons whatever their size. Parts
// (sub, dir, dom) and regular expressions are tried one after the other.
//
// Limits: entriesMax entries, lineMax bytes each; a capturing match gives up
// after stepsMax steps.
package pattern
