package main

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// cgroupMemory returns the memory limit of the control group that we are in,
// or of one above it, in bytes; 0 when there is none.
func cgroupMemory() uint64 { return cgroupMemoryIn(os.DirFS("/")) }

// cgroupMemoryIn reads both versions of control groups below root.
func cgroupMemoryIn(root fs.FS) uint64 {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	limit := uint64(0)
	for line := range strings.Lines(string(text)) {
		// "0::/user.slice" is version 2, "4:memory:/docker/1f" version 1.
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch {
		case parts[0] == "0" && parts[1] == "":
			limit = lower(limit, lowestUpwards(root, "sys/fs/cgroup", parts[2], "memory.max"))
		case parts[1] == "memory":
			limit = lower(limit, lowestUpwards(root, "sys/fs/cgroup/memory", parts[2], "memory.limit_in_bytes"))
		}
	}
	return limit
}

// lowestUpwards reads the file in the group and in all groups above it. In a
// container the path of /proc may lie outside what is mounted; then only the
// mount's own root tells.
func lowestUpwards(root fs.FS, mount, group, file string) uint64 {
	limit := uint64(0)
	for dir := path.Clean("/" + group); ; dir = path.Dir(dir) {
		limit = lower(limit, readLimit(root, path.Join(mount, dir, file)))
		if dir == "/" {
			return limit
		}
	}
}

// unlimited is where version 1 starts to mean "no limit": a page count that
// fills the address space.
const unlimited = 1 << 62

func readLimit(root fs.FS, name string) uint64 {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil || n >= unlimited { // "max"
		return 0
	}
	return n
}

// lower is the lower of two limits, of which 0 is none.
func lower(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
