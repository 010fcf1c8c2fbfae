package expr

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// CompileVarName reads a variable's name with its scope, such as "txn.x".
func CompileVarName(s string) (*VarName, error) {
	scope, name, ok := strings.Cut(s, ".")
	if !ok || name == "" {
		return nil, fmt.Errorf("variable name %q must begin with its scope (proc, sess, txn, req or res) and a dot", s)
	}
	if len(name) > varNameBytes {
		return nil, fmt.Errorf("variable name %q is longer than %d bytes", s, varNameBytes)
	}
	for i := range len(name) {
		if c := name[i]; !isAlnum(c) && c != '_' && c != '.' {
			return nil, fmt.Errorf("variable name %q: letters, digits, '.' and '_' are allowed, not %q", s, c)
		}
	}
	for i, n := range scopeNames {
		if n == scope {
			h := fnv.New64a()
			h.Write([]byte(s))
			return &VarName{Scope: Scope(i), Name: name, hash: h.Sum64()}, nil
		}
	}
	return nil, fmt.Errorf("variable name %q: %q is no scope; proc, sess, txn, req and res are", s, scope)
}

func (n *VarName) String() string { return n.Scope.String() + "." + n.Name }

// GetVar returns the value of a variable.
func (e *Env) GetVar(n *VarName) (Value, bool) {
	switch n.Scope {
	case ScopeProc:
		if e.Process == nil {
			return Value{}, false
		}
		return e.Process.Vars.Get(n)
	case ScopeSess:
		return e.Sess.Get(n)
	}
	return e.Txn.Get(n)
}

// SetVar copies a value into a variable; false when a limit is reached or the
// scope does not exist where the rule stands.
func (e *Env) SetVar(n *VarName, v Value) bool {
	switch n.Scope {
	case ScopeProc:
		return e.Process != nil && e.Process.Vars.Set(n, v)
	case ScopeSess:
		return e.Sess.Set(e.Scratch, n, v)
	}
	return e.Txn.Set(e.Scratch, n, v)
}

// UnsetVar forgets a variable.
func (e *Env) UnsetVar(n *VarName) {
	switch n.Scope {
	case ScopeProc:
		if e.Process != nil {
			e.Process.Vars.Unset(n)
		}
	case ScopeSess:
		e.Sess.Unset(n)
	default:
		e.Txn.Unset(n)
	}
}
