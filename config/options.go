package config

import (
	"fmt"
	"strconv"
	"time"
)

// options walks over the settings at the end of a line: "check inter 2s". They
// come in any order; some take a value.
type options struct {
	c     *compiler
	l     *line
	words []string

	name string // the current one
	bad  bool   // the rest of the line can't be read
}

// next moves to the next option.
func (o *options) next() bool {
	if o.bad || len(o.words) == 0 {
		return false
	}
	o.name, o.words = o.words[0], o.words[1:]
	if o.name == "" {
		o.fail("an empty word stands before %s; HAProxy would not read what follows it", quote(o.words[0]))
		o.bad = true
		return false
	}
	return true
}

func (o *options) fail(format string, args ...any) { o.c.fail(o.l, format, args...) }

// check notes what is wrong with the value of the current option.
func (o *options) check(err error) {
	if err != nil {
		o.fail("%s %s", o.name, err)
	}
}

// value takes the word after the option.
func (o *options) value() string {
	if len(o.words) == 0 || o.words[0] == "" {
		o.fail("%s wants a value after it", o.name)
		o.bad = true
		return ""
	}
	v := o.words[0]
	o.words = o.words[1:]
	return v
}

func (o *options) integer(lo, hi int) int {
	v := o.value()
	if o.bad {
		return lo
	}
	n, err := parseInteger(v, lo, hi)
	o.check(err)
	return n
}

func (o *options) duration() time.Duration {
	v := o.value()
	if o.bad {
		return 0
	}
	d, err := parseDuration(v, time.Millisecond)
	o.check(err)
	return d
}

// longerThanZero is a duration that must not be zero.
func (o *options) longerThanZero() time.Duration {
	v := o.value()
	if o.bad {
		return 0
	}
	d, err := parseDuration(v, time.Millisecond)
	if err == nil && d == 0 {
		err = fmt.Errorf("wants a time above zero, got %s", quote(v))
	}
	o.check(err)
	return d
}

// choice takes one of a few words; it is empty when another one stands there.
func (o *options) choice(allowed ...string) string {
	v := o.value()
	if o.bad {
		return ""
	}
	if err := oneOf(v, allowed...); err != nil {
		o.check(err)
		return ""
	}
	return v
}

// unknown says that the current word is no option and stops: what follows
// could be its value.
func (o *options) unknown(known []string) {
	o.fail("unknown option %s%s", quote(o.name), didYouMean(o.name, known))
	o.bad = true
}

// A socketOwner is what mode, user, uid, group and gid say of a UNIX socket.
type socketOwner struct {
	mode        uint32
	user, group string
	uid, gid    int
	hasUID      bool
	hasGID      bool
}

func (s *socketOwner) set(env *Env, option, value string) (err error) {
	switch option {
	case "mode":
		var n uint64
		if n, err = strconv.ParseUint(value, 8, 12); err != nil {
			return fmt.Errorf("wants an octal number such as 660, got %s", quote(value))
		}
		s.mode = uint32(n)
	case "user":
		if s.uid, err = env.LookupUser(value); err != nil {
			return fmt.Errorf("names an unknown user %s", quote(value))
		}
		s.user, s.hasUID = value, true
	case "group":
		if s.gid, err = env.LookupGroup(value); err != nil {
			return fmt.Errorf("names an unknown group %s", quote(value))
		}
		s.group, s.hasGID = value, true
	case "uid":
		s.uid, err = parseInteger(value, 0, intMax)
		s.user, s.hasUID = value, true
	case "gid":
		s.gid, err = parseInteger(value, 0, intMax)
		s.group, s.hasGID = value, true
	}
	return err
}

func (s *socketOwner) applyTo(u *unixBind) {
	if s.mode != 0 {
		u.mode = s.mode
	}
	if s.hasUID {
		u.user, u.uid = s.user, s.uid
	}
	if s.hasGID {
		u.group, u.gid = s.group, s.gid
	}
}
