package expr

import (
	"fmt"
	"strings"
)

const chainMax = 32 // converters of one expression

// A cursor is a place among several values of one fetch (the values of a
// header, say). What it counts is the fetch's own business.
type cursor int64

const (
	single cursor = -1 // asks for the one value that the fetch has outside ACLs
	first  cursor = 0  // asks for the first of all values
	last   cursor = 0  // given back: there are no more
)

// An Expr is a compiled sample expression: a fetch and converters on its value.
type Expr struct {
	fetch *fetchRow
	one   func(env *Env, a []Arg) (Value, bool)
	all   func(env *Env, a []Arg, at cursor) (Value, cursor, bool)
	args  []Arg
	calls []call // as written
	steps []step
	kind  Kind
	needs need
}

// step casts the value and applies one converter.
type step struct {
	row  *converterRow
	cast Kind
	args []Arg
}

// CompileExpr compiles a sample expression for a phase. An expression that needs
// what the phase can't have is refused.
func CompileExpr(s string, ph Phase) (*Expr, error) {
	l := lexer{s: s}
	calls, err := l.calls(0)
	if err != nil {
		return nil, err
	}
	return compileCalls(calls, ph)
}

func compileCalls(calls []call, ph Phase) (*Expr, error) {
	e, err := compileChain(calls, ph)
	if err != nil {
		return nil, err
	}
	if what := ph.missing(e.needs); what != "" {
		return nil, fmt.Errorf("fetch %s needs %s, which is not available in %s", e.fetch.name, what, ph)
	}
	return e, nil
}

// compileChain compiles without asking whether the phase has what is needed.
func compileChain(calls []call, ph Phase) (*Expr, error) {
	row, err := findFetch(calls[0].name)
	if err != nil {
		return nil, err
	}
	if ph.response() && row.inResponse != "" {
		if row, err = findFetch(row.inResponse); err != nil {
			return nil, err
		}
	}
	e := &Expr{fetch: row, one: row.one, all: row.all, calls: calls, kind: row.out, needs: row.needs}
	if e.args, err = compileArgs(row.args, calls[0].args); err != nil {
		return nil, fmt.Errorf("fetch %s: %w", calls[0].name, err)
	}
	if row.check != nil {
		if err := row.check(e.args); err != nil {
			return nil, fmt.Errorf("fetch %s: %w", calls[0].name, err)
		}
	}
	for _, c := range calls[1:] {
		if err := e.addStep(c); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (e *Expr) addStep(c call) error {
	row, err := findConverter(c.name)
	if err != nil {
		return err
	}
	if !castable(e.kind, row.in) {
		return fmt.Errorf("converter %s works on a value of type %s, not %s", c.name, row.in, e.kind)
	}
	args, err := compileArgs(row.args, c.args)
	if err != nil {
		return fmt.Errorf("converter %s: %w", c.name, err)
	}
	if row.check != nil {
		if err := row.check(args); err != nil {
			return fmt.Errorf("converter %s: %w", c.name, err)
		}
	}
	e.steps = append(e.steps, step{row: row, cast: row.in, args: args})
	e.needs |= row.needs
	if row.out != KindAny {
		e.kind = row.out
	}
	return nil
}

// Kind gives the type of the value; KindAny when only running tells.
func (e *Expr) Kind() Kind { return e.kind }

// Eval computes the value. ok is false when there is none: a header that is not
// there, a converter that fails. The value's bytes are valid until the next
// evaluation with env.
func (e *Expr) Eval(env *Env) (v Value, ok bool) {
	env.Scratch.reset()
	return e.value(env)
}

// EvalStr computes the value as text.
func (e *Expr) EvalStr(env *Env) ([]byte, bool) {
	return e.evalAs(env, KindStr)
}

// TestStr is EvalStr for rules that may wait for more bytes: Unsure says that
// the value may come with them.
func (e *Expr) TestStr(env *Env) ([]byte, Outcome) {
	env.unsure = false
	v, ok := e.EvalStr(env)
	switch {
	case ok:
		return v, Yes
	case env.unsure:
		return nil, Unsure
	}
	return nil, No
}

// EvalBytes computes the value as a block of bytes, such as a key to hash.
func (e *Expr) EvalBytes(env *Env) ([]byte, bool) {
	return e.evalAs(env, KindBin)
}

func (e *Expr) evalAs(env *Env, k Kind) ([]byte, bool) {
	v, ok := e.Eval(env)
	if !ok {
		return nil, false
	}
	v, ok = env.cast(v, k)
	return v.Bytes, ok
}

// value is Eval without taking the scratch memory back.
func (e *Expr) value(env *Env) (v Value, ok bool) {
	if e.all != nil {
		v, _, ok = e.all(env, e.args, single)
	} else {
		v, ok = e.one(env, e.args)
	}
	if !ok || len(e.steps) == 0 {
		return v, ok
	}
	return e.convert(env, v)
}

func (e *Expr) convert(env *Env, v Value) (Value, bool) {
	for i := range e.steps {
		s := &e.steps[i]
		ok := true
		if v.Kind != s.cast {
			if v, ok = env.cast(v, s.cast); !ok {
				return Value{}, false
			}
		}
		if v, ok = s.row.apply(env, v, s.args); !ok {
			return Value{}, false
		}
	}
	return v, true
}

// String writes the expression so that it compiles to the same program.
func (e *Expr) String() string {
	var b []byte
	for i, c := range e.calls {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCall(b, c)
	}
	return string(b)
}

// A Reference is a name in an expression that must exist elsewhere in the
// configuration: whoever knows all of it checks them.
type Reference struct {
	Kind string // "frontend", "backend", "server"
	Name string // "backend/server" for a server; empty: the current one

	Origin string // of the "acl" line that has the expression, if one has
}

// References lists the names that e refers to.
func (e *Expr) References() []Reference {
	list := references(nil, e.fetch.args, e.args)
	for _, s := range e.steps {
		list = references(list, s.row.args, s.args)
	}
	return list
}

func references(list []Reference, spec string, args []Arg) []Reference {
	for i, k := range strings.Fields(spec) {
		k = strings.Trim(k, "[]")
		if k == "frontend" || k == "backend" || k == "server" {
			list = append(list, Reference{Kind: k, Name: args[i].Name})
		}
	}
	return list
}
