package evloop_test

import (
	"os"
	"os/exec"
	"testing"

	"github.com/weir-lb/weir/internal/evloop"
)

// kernelOfTests names, in the environment, the kernel that the tests use: "ring"
// for Fastest; System otherwise.
const kernelOfTests = "WEIR_TEST_KERNEL"

func newKernel() evloop.Kernel {
	if os.Getenv(kernelOfTests) == "ring" {
		return evloop.Fastest()
	}
	return evloop.System()
}

// This binary runs all its tests once more, over the other kernel.
func TestE2EOverTheRing(t *testing.T) {
	if os.Getenv(kernelOfTests) != "" {
		return
	}
	cmd := exec.Command(os.Args[0], "-test.count=1")
	cmd.Env = append(os.Environ(), kernelOfTests+"=ring")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}
