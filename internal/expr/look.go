package expr

// A Look is something about a connection that takes a system call or a look at
// other loops' memory to learn: the Env is given it only where an expression or
// a format wants it.
type Look uint8

const (
	LookDst       Look = 1 << iota // Env.Dst
	LookConn                       // Env.ConnSrc, Env.ConnDst
	LookBind                       // Env.BindConns
	LookServerSrc                  // Record.ServerSrc
)

// Looks gives what e wants to know.
func (e *Expr) Looks() Look { return e.fetch.looks }

// Looks gives what the string's variables and expressions want to know.
func (f *Format) Looks() Look {
	var all Look
	if f == nil {
		return 0
	}
	for i := range f.items {
		switch it := &f.items[i]; it.kind {
		case itemVar:
			all |= it.variable.looks
		case itemExpr:
			all |= it.expr.Looks()
		}
	}
	return all
}

// Looks gives what the condition wants to know, with the ACLs that it names.
func (c *Cond) Looks() Look {
	var all Look
	if c == nil {
		return 0
	}
	for _, suite := range c.suites {
		for i := range suite {
			for _, t := range suite[i].tests {
				all |= t.expr.Looks()
			}
		}
	}
	return all
}
