package pattern

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

const (
	entriesMax = 16 << 20 // patterns in one Set
	textMax    = 2 << 30  // bytes of all patterns of one Set; offsets have 32 bits
)

// An Entry is one pattern.
type Entry struct {
	Text string
	Fold bool // letters of both cases are equal (-i)
	Op   Op   // with Int and Len
}

// A Set is a compiled list of patterns, all compared in the same way. The
// index that a Find method gives is that of the entry given to Compile, or -1
// when none matches.
type Set struct {
	method Method
	n      int
	exact  finder // entries whose case counts; nil: none
	folded finder // entries whose case does not count, in lower case; nil: none
	ranges rangeList
	nets   networkTable
}

// finder is a table of texts for one method.
type finder interface {
	find(b []byte) int
}

// text is one pattern with its place in the list.
type text struct {
	s     string
	index int32
}

// Resolve looks up a host name written in place of an address.
type Resolve func(host string) ([]netip.Addr, error)

// Compile makes a Set. resolve may be nil: then host names are refused. All
// wrong entries are reported together.
func Compile(m Method, entries []Entry, resolve Resolve) (*Set, error) {
	if len(entries) > entriesMax {
		return nil, fmt.Errorf("%d patterns in one list, at most %d are possible", len(entries), entriesMax)
	}
	s := &Set{method: m, n: len(entries)}
	switch m {
	case Found, Bool:
		return s, nil
	case Int, Len:
		return s, s.compileRanges(entries)
	case IP:
		return s, s.compileNetworks(entries, resolve)
	}
	return s, s.compileTexts(entries)
}

func (s *Set) compileRanges(entries []Entry) error {
	var errs []error
	for i, e := range entries {
		lo, hi, err := parseRange(e.Text, e.Op)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.ranges.add(lo, hi, i)
	}
	s.ranges.merge()
	return errors.Join(errs...)
}

func (s *Set) compileNetworks(entries []Entry, resolve Resolve) error {
	var errs []error
	for i, e := range entries {
		if err := s.nets.add(e.Text, i, resolve); err != nil {
			errs = append(errs, err)
		}
	}
	s.nets.sort()
	return errors.Join(errs...)
}

func (s *Set) compileTexts(entries []Entry) error {
	var exact, folded []text
	var errs []error
	total := 0
	for i, e := range entries {
		t := text{e.Text, int32(i)}
		if s.method == Bin {
			b, err := hex.DecodeString(e.Text)
			if err != nil {
				errs = append(errs, fmt.Errorf("%q is not an even number of hexadecimal digits", e.Text))
				continue
			}
			t.s = string(b)
		}
		total += len(t.s)
		if e.Fold && s.method != Bin {
			if s.method != Reg {
				t.s = strings.ToLower(t.s)
			}
			folded = append(folded, t)
		} else {
			exact = append(exact, t)
		}
	}
	if total > textMax {
		errs = append(errs, fmt.Errorf("patterns of %d bytes in one list, at most %d are possible", total, textMax))
		return errors.Join(errs...)
	}
	var err error
	if s.exact, err = newFinder(s.method, exact, false); err != nil {
		errs = append(errs, err)
	}
	if s.folded, err = newFinder(s.method, folded, true); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// newFinder makes the table for one method; nil for no entries.
func newFinder(m Method, texts []text, fold bool) (finder, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	switch m {
	case Str, Bin:
		if len(texts) <= linearMax {
			return equalList(texts), nil
		}
		return newHashTable(texts), nil
	case Beg:
		return newAffixTable(texts, false), nil
	case End:
		return newAffixTable(texts, true), nil
	case Sub:
		return partList(texts), nil
	case Dir:
		return newWordList(texts, dirDelimiters), nil
	case Dom:
		return newWordList(texts, domDelimiters), nil
	case Reg:
		return newRegexpList(texts, fold)
	}
	return nil, fmt.Errorf("no patterns can be given with the matching method %q", m)
}

// Method gives the method that s was compiled for.
func (s *Set) Method() Method { return s.method }

// Len gives the number of entries.
func (s *Set) Len() int { return s.n }

// Folds reports whether FindBytes needs memory to fold the case of a sample.
func (s *Set) Folds() bool { return s.folded != nil && s.method != Reg }

// FindBytes compares b. When Folds, lower must have a capacity of at least
// len(b): it is overwritten.
func (s *Set) FindBytes(b, lower []byte) int {
	if s.exact != nil {
		if i := s.exact.find(b); i >= 0 {
			return i
		}
	}
	if s.folded == nil {
		return -1
	}
	if s.method != Reg {
		b = appendLower(lower[:0], b)
	}
	return s.folded.find(b)
}

// FindInt compares a number, or a length.
func (s *Set) FindInt(n int64) int { return s.ranges.find(n) }

// FindIP compares an address. An IPv4 address mapped into IPv6 counts as what it
// is.
func (s *Set) FindIP(a netip.Addr) int { return s.nets.find(a) }

func appendLower(dst, b []byte) []byte {
	for _, c := range b {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}
