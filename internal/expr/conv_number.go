package expr

import (
	"math"
	"math/bits"
)

// operand is the number in an argument, or in the variable that it names.
func (e *Env) operand(a *Arg) (int64, bool) {
	if a.Var == nil {
		return a.Int, true
	}
	v, ok := e.GetVar(a.Var)
	if !ok {
		return 0, false
	}
	v, ok = castInt(v, KindInt)
	return v.Int, ok
}

// Sums and products stop at the largest and smallest number.

func convAdd(env *Env, in Value, a []Arg) (Value, bool) {
	n, ok := env.operand(&a[0])
	return Int(addSat(in.Int, n)), ok
}

func convSub(env *Env, in Value, a []Arg) (Value, bool) {
	n, ok := env.operand(&a[0])
	if n == math.MinInt64 {
		return Int(addSat(addSat(in.Int, 1), math.MaxInt64)), ok
	}
	return Int(addSat(in.Int, -n)), ok
}

func addSat(a, b int64) int64 {
	sum := a + b
	if (a < 0) == (b < 0) && (sum < 0) != (a < 0) {
		return saturated(a < 0)
	}
	return sum
}

func convMul(env *Env, in Value, a []Arg) (Value, bool) {
	n, ok := env.operand(&a[0])
	neg := (in.Int < 0) != (n < 0)
	hi, lo := bits.Mul64(magnitude(in.Int), magnitude(n))
	switch {
	case hi != 0 || lo > math.MaxInt64:
		return Int(saturated(neg)), ok
	case neg:
		return Int(-int64(lo)), ok
	}
	return Int(int64(lo)), ok
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// convDiv gives the largest number for a division by zero (manual).
func convDiv(env *Env, in Value, a []Arg) (Value, bool) {
	n, ok := env.operand(&a[0])
	switch {
	case n == 0:
		return Int(math.MaxInt64), ok
	case n == -1:
		return convNegOf(in.Int), ok
	}
	return Int(in.Int / n), ok
}

// convMod gives zero for a division by zero (manual).
func convMod(env *Env, in Value, a []Arg) (Value, bool) {
	n, ok := env.operand(&a[0])
	if n == 0 || n == -1 {
		return Int(0), ok
	}
	return Int(in.Int % n), ok
}

func convNegOf(n int64) Value {
	if n == math.MinInt64 {
		return Int(math.MaxInt64)
	}
	return Int(-n)
}

func convNeg(_ *Env, in Value, _ []Arg) (Value, bool) { return convNegOf(in.Int), true }

func convAnd(env *Env, in Value, a []Arg) (Value, bool) {
	n, ok := env.operand(&a[0])
	return Int(in.Int & n), ok
}

func convOr(env *Env, in Value, a []Arg) (Value, bool) {
	n, ok := env.operand(&a[0])
	return Int(in.Int | n), ok
}

func convXor(env *Env, in Value, a []Arg) (Value, bool) {
	n, ok := env.operand(&a[0])
	return Int(in.Int ^ n), ok
}

func convCpl(_ *Env, in Value, _ []Arg) (Value, bool)  { return Int(^in.Int), true }
func convBool(_ *Env, in Value, _ []Arg) (Value, bool) { return Bool(in.Int != 0), true }
func convNot(_ *Env, in Value, _ []Arg) (Value, bool)  { return Bool(in.Int == 0), true }
func convOdd(_ *Env, in Value, _ []Arg) (Value, bool)  { return Bool(in.Int&1 == 1), true }
func convEven(_ *Env, in Value, _ []Arg) (Value, bool) { return Bool(in.Int&1 == 0), true }

func convHtonl(env *Env, in Value, _ []Arg) (Value, bool) {
	n := uint32(in.Int)
	p := env.Scratch.room(4)
	if p == nil {
		return Value{}, false
	}
	return Bin(env.Scratch.keep(append(p, byte(n>>24), byte(n>>16), byte(n>>8), byte(n)))), true
}
