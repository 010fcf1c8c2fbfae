package expr

import (
	"fmt"
	"os"

	"github.com/weir-lb/weir/internal/message"
)

func fetchTrue(*Env, []Arg) (Value, bool)               { return Bool(true), true }
func fetchFalse(*Env, []Arg) (Value, bool)              { return Bool(false), true }
func fetchArgBool(_ *Env, a []Arg) (Value, bool)        { return Bool(a[0].Int != 0), true }
func fetchArgInt(_ *Env, a []Arg) (Value, bool)         { return Int(a[0].Int), true }
func fetchArgStr(_ *Env, a []Arg) (Value, bool)         { return Str(a[0].Text), true }
func fetchArgBin(_ *Env, a []Arg) (Value, bool)         { return Bin(a[0].Text), true }
func fetchArgIP(_ *Env, a []Arg) (Value, bool)          { return IP(a[0].IP), true }
func fetchProc(*Env, []Arg) (Value, bool)               { return Int(1), true }
func fetchThread(env *Env, _ []Arg) (Value, bool)       { return Int(int64(env.Loop)), true }
func fetchDateUS(env *Env, _ []Arg) (Value, bool)       { return Int(env.Now % nanosPerSec / 1000), true }
func fetchWaitEnd(env *Env, _ []Arg) (Value, bool)      { return Bool(true), env.settled() }
func fetchFirstRequest(env *Env, _ []Arg) (Value, bool) { return Bool(env.FirstRequest), true }

func fetchArgMethod(_ *Env, a []Arg) (Value, bool) {
	return MethodValue(message.MethodOf(a[0].Text), a[0].Text), true
}

// settled reports whether no more bytes will come. When they may, what failed
// for want of them is asked again.
func (e *Env) settled() bool {
	if !e.Final {
		e.unsure = true
	}
	return e.Final
}

func checkBool(a []Arg) error {
	switch s := string(a[0].Text); s {
	case "true", "1":
		a[0].Int = 1
	case "false", "0":
	default:
		return fmt.Errorf("%q is not true, false, 1 or 0", s)
	}
	return nil
}

// checkEnv reads the environment variable: it is sampled when the configuration
// is loaded.
func checkEnv(a []Arg) error {
	value, ok := os.LookupEnv(string(a[0].Text))
	a[0].Text, a[0].Int = []byte(value), 0
	if ok {
		a[0].Int = 1
	}
	return nil
}

func fetchEnv(_ *Env, a []Arg) (Value, bool) { return Str(a[0].Text), a[0].Int == 1 }

// timeUnits are the arguments of date, http_date and the like: how many
// nanoseconds one has.
func timeUnit(a *Arg) error {
	switch s := string(a.Text); s {
	case "", "s":
		a.Int = nanosPerSec
	case "ms":
		a.Int = nanosPerMS
	case "us":
		a.Int = 1000
	default:
		return fmt.Errorf("%q is not s, ms or us", s)
	}
	return nil
}

func checkDate(a []Arg) error { return timeUnit(&a[1]) }

func fetchDate(env *Env, a []Arg) (Value, bool) {
	return Int(env.Now/a[1].Int + a[0].Int), true
}

func fetchHostname(env *Env, _ []Arg) (Value, bool) {
	if env.Process == nil {
		return Value{}, false
	}
	return Str(stringBytes(env, env.Process.Hostname)), true
}

func checkRand(a []Arg) error {
	if a[0].Set && a[0].Int < 0 {
		return fmt.Errorf("a range of %d numbers makes no sense", a[0].Int)
	}
	return nil
}

func fetchRand(env *Env, a []Arg) (Value, bool) {
	n := int64(uint32(env.Scratch.rng.Uint64()))
	if a[0].Set {
		return Int(n * a[0].Int >> 32), true
	}
	return Int(n), true
}

func fetchStopping(env *Env, _ []Arg) (Value, bool) {
	return Bool(env.Live != nil && env.Live.Stopping()), true
}

func checkUUID(a []Arg) error {
	if a[0].Set && a[0].Int != 4 {
		return fmt.Errorf("version %d of UUIDs is not supported, only 4 is", a[0].Int)
	}
	return nil
}

const uuidLen = 36

// fetchUUID makes a random UUID (RFC 9562 section 5.4).
func fetchUUID(env *Env, _ []Arg) (Value, bool) {
	p := env.Scratch.room(uuidLen)
	if p == nil {
		return Value{}, false
	}
	hi, lo := env.Scratch.rng.Uint64(), env.Scratch.rng.Uint64()
	hi = hi&^0xf000 | 0x4000
	lo = lo&^(3<<62) | 2<<62
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			p = append(p, '-')
		}
		n := hi
		if i >= 16 {
			n = lo
		}
		p = append(p, lowerDigits[n>>(60-i%16*4)&15])
	}
	return Str(env.Scratch.keep(p)), true
}

const (
	lowerDigits = "0123456789abcdef"
	upperDigits = "0123456789ABCDEF"
)

func fetchVar(env *Env, a []Arg) (Value, bool) {
	if v, ok := env.GetVar(a[0].Var); ok {
		return v, true
	}
	return Str(a[1].Text), a[1].Set
}

// stringBytes gives the bytes of s, which must not be changed.
func stringBytes(env *Env, s string) []byte {
	p := env.Scratch.room(len(s))
	if p == nil {
		return nil
	}
	return env.Scratch.keep(append(p, s...))
}

// strOf gives s as a text, or nothing when it is empty.
func strOf(env *Env, s string) (Value, bool) {
	if s == "" {
		return Value{}, false
	}
	return Str(stringBytes(env, s)), true
}
