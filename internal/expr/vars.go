package expr

import (
	"bytes"
	"sync"
	"sync/atomic"
)

// Scope says how long a variable lives (manual, set-var).
type Scope uint8

const (
	ScopeProc Scope = iota // as long as the process
	ScopeSess              // as long as the client's connection
	ScopeTxn               // request and response
	ScopeReq               // request only
	ScopeRes               // response only
)

var scopeNames = [...]string{"proc", "sess", "txn", "req", "res"}

func (s Scope) String() string { return scopeNames[s] }

const (
	varsMax      = 128      // variables of one connection or exchange
	varBytesMax  = 64 << 10 // bytes of text in them together
	procVarsMax  = 1024     // variables of the process
	varPoolMax   = 256      // sets kept by a loop for reuse
	varNameBytes = 254      // of a name
)

// A VarName is a variable's name, compiled.
type VarName struct {
	Scope Scope
	Name  string // without the scope
	hash  uint64
}

// Vars holds the variables of one connection or of one exchange. The zero Vars
// is empty; memory is taken from the loop's Scratch when the first variable is
// set, and Reset gives it back.
type Vars struct {
	set *varSet
}

type varSet struct {
	vars  []variable // in no order; entries beyond len keep their buffers
	bytes int        // text in all of them
}

type variable struct {
	name  string
	hash  uint64
	scope Scope
	value Value  // Bytes unused, see text
	text  []byte // owned
}

func (s *varSet) find(n *VarName) int {
	for i := range s.vars {
		v := &s.vars[i]
		if v.hash == n.hash && v.scope == n.Scope && v.name == n.Name {
			return i
		}
	}
	return -1
}

func (v *variable) get() Value {
	out := v.value
	out.Bytes = v.text
	return out
}

// Get returns the variable n of v, which may be nil.
func (v *Vars) Get(n *VarName) (Value, bool) {
	if v == nil || v.set == nil {
		return Value{}, false
	}
	i := v.set.find(n)
	if i < 0 {
		return Value{}, false
	}
	return v.set.vars[i].get(), true
}

// Set copies val into the variable n; false when a limit is reached.
func (v *Vars) Set(s *Scratch, n *VarName, val Value) bool {
	if v == nil {
		return false
	}
	if v.set == nil {
		v.set = s.takeVars()
	}
	set := v.set
	i := set.find(n)
	had := 0
	if i >= 0 {
		had = len(set.vars[i].text)
	}
	if set.bytes-had+len(val.Bytes) > varBytesMax || i < 0 && len(set.vars) >= varsMax {
		return false
	}
	if i < 0 {
		i = len(set.vars)
		if i < cap(set.vars) {
			set.vars = set.vars[:i+1]
		} else {
			set.vars = append(set.vars, variable{})
		}
		set.vars[i].text = set.vars[i].text[:0]
	}
	e := &set.vars[i]
	set.bytes += len(val.Bytes) - had
	e.name, e.hash, e.scope = n.Name, n.hash, n.Scope
	e.text = append(e.text[:0], val.Bytes...)
	val.Bytes = nil
	e.value = val
	return true
}

// Unset forgets the variable n.
func (v *Vars) Unset(n *VarName) {
	if v == nil || v.set == nil {
		return
	}
	if i := v.set.find(n); i >= 0 {
		v.set.remove(i)
	}
}

// Drop forgets all variables of one scope: req when the response begins, for
// example.
func (v *Vars) Drop(scope Scope) {
	if v == nil || v.set == nil {
		return
	}
	for i := len(v.set.vars) - 1; i >= 0; i-- {
		if v.set.vars[i].scope == scope {
			v.set.remove(i)
		}
	}
}

// Reset forgets everything and gives the memory back to the loop.
func (v *Vars) Reset(s *Scratch) {
	if v == nil || v.set == nil {
		return
	}
	s.putVars(v.set)
	v.set = nil
}

// remove swaps the last entry into place i; the buffers of both are kept.
func (s *varSet) remove(i int) {
	last := len(s.vars) - 1
	s.bytes -= len(s.vars[i].text)
	s.vars[i], s.vars[last] = s.vars[last], s.vars[i]
	s.vars = s.vars[:last]
}

// ProcVars holds the variables of the process. Reading takes no lock; writing
// copies the table, for such variables are written rarely.
type ProcVars struct {
	mu    sync.Mutex
	table atomic.Pointer[[]variable]
}

// Get returns the variable n.
func (p *ProcVars) Get(n *VarName) (Value, bool) {
	t := p.table.Load()
	if t == nil {
		return Value{}, false
	}
	for i := range *t {
		v := &(*t)[i]
		if v.hash == n.hash && v.name == n.Name {
			return v.get(), true
		}
	}
	return Value{}, false
}

// Set copies val into the variable n; false when a limit is reached.
func (p *ProcVars) Set(n *VarName, val Value) bool {
	if len(val.Bytes) > varBytesMax {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.without(n)
	if len(next) >= procVarsMax {
		return false
	}
	e := variable{name: n.Name, hash: n.hash, scope: ScopeProc, text: bytes.Clone(val.Bytes)}
	val.Bytes = nil
	e.value = val
	next = append(next, e)
	p.table.Store(&next)
	return true
}

// Unset forgets the variable n.
func (p *ProcVars) Unset(n *VarName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	next := p.without(n)
	p.table.Store(&next)
}

// without returns a copy of the table that lacks n.
func (p *ProcVars) without(n *VarName) []variable {
	var next []variable
	if t := p.table.Load(); t != nil {
		for _, v := range *t {
			if v.name != n.Name {
				next = append(next, v)
			}
		}
	}
	return next
}
