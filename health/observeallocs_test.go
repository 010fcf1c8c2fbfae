//go:build !race

package health

import "testing"

func TestObservingDoesNotAllocate(t *testing.T) {
	sc := observed(t, ServerSpec{ErrorLimit: 1000000})
	got := testing.AllocsPerRun(100, func() {
		sc.checker.Observe(ObservedResponse(200))
		sc.checker.Observe(ObservedResponse(500))
		sc.checker.Observed(true)
	})
	if got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}
