package main

import (
	"fmt"
	"strconv"
	"strings"
)

// options is the command line. HAProxy's flags are words of one dash and one
// or more letters, in any order; they cannot be bundled (manual:
// management.txt, chapter 3).
type options struct {
	files []string // files and folders, in order: -f, -- and bare names
	dir   string   // -C

	check     bool // -c
	condition string
	evaluate  bool // -cc

	version versionWanted

	verbose    bool // -V
	quiet      bool // -q
	debug      bool // -d
	foreground bool // -db, -d
	daemon     bool // -D
	master     bool // -W, -Ws
	notify     bool // -Ws
	fatal      bool // -dW: warnings are errors
	diagnose   bool // -dD
	noIOUring  bool // -dU

	masterCLI string // -S
	pidFile   string // -p
	localName string // -L
	maxConn   int    // -n
	frontConn int    // -N: maxconn of frontends that name none
	megabytes int    // -m

	finish    []int  // -sf: pids for SIGUSR1 once we serve
	terminate []int  // -st: pids for SIGTERM once we serve
	transfer  string // -x

	// unused holds words that mean something to HAProxy only.
	unused []string
}

// versionWanted says which text -v and its relatives ask for.
type versionWanted uint8

const (
	versionNone   versionWanted = iota
	versionShort                // -v
	versionLong                 // -vv
	versionNumber               // -vq: the number only
	versionBranch               // -vqb: major and minor only
)

// A usageError is answered with the usage text.
type usageError struct{ why string }

func (e usageError) Error() string { return e.why }

// scanner walks over the words of a command line.
type scanner struct {
	words []string
	opt   options
}

func scanFlags(words []string) (options, error) {
	s := scanner{words: words}
	for len(s.words) > 0 {
		if err := s.next(); err != nil {
			return s.opt, err
		}
	}
	return s.opt, nil
}

func (s *scanner) next() error {
	word := s.words[0]
	s.words = s.words[1:]
	switch {
	case word == "--":
		s.opt.files = append(s.opt.files, s.words...)
		s.words = nil
		return nil
	case !strings.HasPrefix(word, "-"):
		s.opt.files = append(s.opt.files, word)
		return nil
	case strings.HasPrefix(word, "-d"):
		s.debugFlag(word)
		return nil
	}
	if known, err := s.valueFlag(word); known || err != nil {
		return err
	}
	return s.plainFlag(word)
}

// plainFlag handles words without a value.
func (s *scanner) plainFlag(word string) error {
	o := &s.opt
	switch word {
	case "-c":
		o.check = true
	case "-v":
		o.version = versionShort
	case "-vv":
		o.version = versionLong
	case "-vq", "-vqs":
		o.version = versionNumber
	case "-vqb":
		o.version = versionBranch
	case "-V":
		o.verbose, o.quiet = true, false
	case "-q":
		o.quiet = !o.verbose
	case "-D":
		o.daemon = true
	case "-W":
		o.master = true
	case "-Ws":
		o.master, o.notify = true, true
	default:
		return usageError{"unknown option " + word}
	}
	return nil
}

// debugFlag handles the words that start with -d. All of them are accepted:
// most tune HAProxy's insides.
func (s *scanner) debugFlag(word string) {
	o := &s.opt
	switch word {
	case "-d":
		o.debug, o.foreground, o.verbose, o.quiet = true, true, true, false
	case "-db":
		o.foreground = true
	case "-dW":
		o.fatal = true
	case "-dD":
		o.diagnose = true
	case "-dU":
		o.noIOUring = true
	default:
		o.unused = append(o.unused, word)
	}
}

// valueFlag handles words that are followed by a value.
func (s *scanner) valueFlag(word string) (known bool, err error) {
	o := &s.opt
	switch word {
	case "-sf":
		return true, s.pids(word, &o.finish)
	case "-st":
		return true, s.pids(word, &o.terminate)
	}
	text := map[string]*string{
		"-C": &o.dir, "-L": &o.localName, "-p": &o.pidFile,
		"-S": &o.masterCLI, "-x": &o.transfer, "-cc": &o.condition, "-f": new(string),
	}
	number := map[string]*int{"-n": &o.maxConn, "-N": &o.frontConn, "-m": &o.megabytes}
	if text[word] == nil && number[word] == nil {
		return false, nil
	}
	if len(s.words) == 0 {
		return true, usageError{word + " wants a value"}
	}
	value := s.words[0]
	s.words = s.words[1:]
	if to := number[word]; to != nil {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return true, usageError{fmt.Sprintf("%s wants a number, got %q", word, value)}
		}
		*to = n
		return true, nil
	}
	*text[word] = value
	switch word {
	case "-f":
		o.files = append(o.files, value)
	case "-cc":
		o.evaluate = true
	}
	return true, nil
}

// pids takes process numbers up to the next word that starts with a dash. An
// empty list is fine: "-sf $(pidof haproxy)" may give one. A word may hold
// several: "-sf $(cat pidfile)" in quotes gives lines.
func (s *scanner) pids(word string, to *[]int) error {
	for len(s.words) > 0 && !strings.HasPrefix(s.words[0], "-") {
		for _, f := range strings.Fields(s.words[0]) {
			pid, err := strconv.Atoi(f)
			if err != nil || pid <= 0 {
				return fmt.Errorf("%s wants process ids, got %q", word, f)
			}
			*to = append(*to, pid)
		}
		s.words = s.words[1:]
	}
	return nil
}
