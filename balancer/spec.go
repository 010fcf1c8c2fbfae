package balancer

import "time"

// Algorithm chooses a server (manual keyword "balance").
type Algorithm uint8

const (
	RoundRobin Algorithm = iota
	StaticRR
	LeastConn
	First
	Source // by hash of the client's address
	Hash   // by hash of the Key that the caller gives (uri, hdr, url_param, hash)
	Random
)

// A Spec describes one backend's servers.
type Spec struct {
	Name        string
	Origin      string
	Algorithm   Algorithm
	RandomDraws int // of Random; default 2

	// hash-type.
	Consistent    bool   // consistent, else map-based
	HashFunc      string // sdbm (default), djb2, wt6, crc32, none
	Avalanche     bool
	BalanceFactor int // hash-balance-factor, percent; 0: off

	QueueMax   int // waiters of the backend; default 0: bounded by the process's connections
	AllBackups bool
	FullConn   int // for MinConn
	Servers    []ServerSpec
}

// A ServerSpec describes one server's share.
type ServerSpec struct {
	Name      string
	ID        int // puid; for the hash ring; default: its place in the section, from 1
	Origin    string
	Weight    int // 0..256; negative: default 1. Zero takes no new traffic but stuck sessions
	MaxConn   int // slots; 0: no bound
	MinConn   int
	MaxQueue  int // waiters; 0: no bound of its own
	Backup    bool
	Disabled  bool // starts in maintenance
	SlowStart time.Duration
}
