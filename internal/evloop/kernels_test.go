package evloop_test

import (
	"os"

	"github.com/weir-lb/weir/internal/evloop"
)

// kernelOfTests names, in the environment, the kernel that the tests use: "ring",
// or System.
const kernelOfTests = "WEIR_TEST_KERNEL"

func newKernel() evloop.Kernel {
	if os.Getenv(kernelOfTests) == "ring" {
		return evloop.Fastest()
	}
	return evloop.System()
}
