package pattern

// Method is how a sample is compared with patterns: the argument of "-m"
// (manual 7.1).
type Method uint8

const (
	Found Method = iota // the sample exists; patterns are ignored
	Bool                // the sample is true; patterns are ignored
	Int                 // a number in a range
	IP                  // an address in a network
	Bin                 // the same bytes, written in hexadecimal
	Len                 // the sample's length is in a range
	Str                 // the same string
	Beg                 // begins with
	Sub                 // contains
	Dir                 // contains, between slashes
	Dom                 // contains, between dots, colons, slashes and question marks
	End                 // ends with
	Reg                 // a regular expression matches

	methods // how many there are
)

var methodNames = [methods]string{
	"found", "bool", "int", "ip", "bin", "len", "str", "beg", "sub", "dir", "dom", "end", "reg",
}

// String gives the name as it stands after "-m".
func (m Method) String() string {
	if m < methods {
		return methodNames[m]
	}
	return "unknown"
}

// MethodOf finds the method called name.
func MethodOf(name string) (Method, bool) {
	for m, n := range methodNames {
		if n == name {
			return Method(m), true
		}
	}
	return 0, false
}

// Text reports whether m compares bytes.
func (m Method) Text() bool { return m >= Str || m == Bin }

// Op is an operator before integers.
type Op uint8

const (
	OpEq Op = iota // equals, or lies in the range; what stands when no operator is written
	OpGe           // greater than or equal
	OpGt           // greater than
	OpLe           // less than or equal
	OpLt           // less than
)

// OpOf finds the operator called name.
func OpOf(name string) (Op, bool) {
	switch name {
	case "eq":
		return OpEq, true
	case "ge":
		return OpGe, true
	case "gt":
		return OpGt, true
	case "le":
		return OpLe, true
	case "lt":
		return OpLt, true
	}
	return 0, false
}

func (o Op) String() string { return [...]string{"eq", "ge", "gt", "le", "lt"}[o] }
