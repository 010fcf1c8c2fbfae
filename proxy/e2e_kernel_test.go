package proxy

import (
	"os"
	"os/exec"
	"testing"
)

// kernelOfTests says, in the environment, what the e2e tests do without: "epoll"
// is the kernel without io_uring.
const kernelOfTests = "WEIR_TEST_KERNEL"

func withoutIOUring() bool { return os.Getenv(kernelOfTests) == "epoll" }

// This binary has its bad days once more, without io_uring.
func TestE2EWithoutIOUring(t *testing.T) {
	if withoutIOUring() {
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestE2E", "-test.count=1")
	cmd.Env = append(os.Environ(), kernelOfTests+"=epoll")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}
