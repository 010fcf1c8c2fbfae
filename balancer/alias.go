package balancer

// An alias table draws servers at random by weight at a cost that does not depend on their number (Vose's method).
type alias struct {
	servers []uint16
	share   []uint32 // of 1<<32: below it the column's own server is drawn
	other   []uint16
}

func newAlias(weights []int32) *alias {
	a := &alias{}
	var total float64
	for i, w := range weights {
		if w > 0 {
			a.servers = append(a.servers, uint16(i))
			total += float64(w)
		}
	}
	n := len(a.servers)
	a.share, a.other = make([]uint32, n), make([]uint16, n)
	left := make([]float64, n)
	var small, large []int
	for k, i := range a.servers {
		a.share[k], a.other[k] = 1<<32-1, i
		left[k] = float64(weights[i]) * float64(n) / total
		if left[k] < 1 {
			small = append(small, k)
		} else {
			large = append(large, k)
		}
	}
	for len(small) > 0 && len(large) > 0 {
		s, l := small[len(small)-1], large[len(large)-1]
		small = small[:len(small)-1]
		a.share[s] = uint32(left[s] * (1<<32 - 1))
		a.other[s] = a.servers[l]
		left[l] -= 1 - left[s]
		if left[l] < 1 {
			large = large[:len(large)-1]
			small = append(small, l)
		}
	}
	return a
}

// draw turns 64 random bits into a server. The table must not be empty.
func (a *alias) draw(random uint64) uint16 {
	column := random >> 32 * uint64(len(a.servers)) >> 32
	if uint32(random) < a.share[column] {
		return a.servers[column]
	}
	return a.other[column]
}

// scatter makes random-looking bits of a counter (Steele, Lea, Flood: SplitMix64).
func scatter(x uint64) uint64 {
	x *= 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
