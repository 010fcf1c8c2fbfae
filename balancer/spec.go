package balancer

import (
	"fmt"
	"time"
)

// Algorithm chooses a server (manual keyword "balance").
type Algorithm uint8

const (
	RoundRobin Algorithm = iota // in turns, smoothly by weight; weights may change at any time
	StaticRR                    // in turns from a fixed map
	LeastConn                   // fewest sessions per weight
	First                       // lowest id with a free slot
	Source                      // by hash of the client's address
	Hash                        // by hash of the Key that the caller gives (uri, hdr, url_param, hash)
	Random                      // least loaded of a few drawn at random
)

func (a Algorithm) String() string {
	names := [...]string{"roundrobin", "static-rr", "leastconn", "first", "source", "hash", "random"}
	if int(a) < len(names) {
		return names[a]
	}
	return fmt.Sprintf("algorithm %d", uint8(a))
}

// Limits of a Spec.
const (
	serversMax     = 4096 // per backend; HAProxy's roundrobin has 4095
	weightMax      = 256  // manual: "weight"
	idMax          = 1<<31 - 1
	slotsMax       = 1 << 30
	randomDrawsMax = 64
)

// A Spec describes one backend's servers.
type Spec struct {
	Name        string
	Origin      string
	Algorithm   Algorithm
	RandomDraws int    // of Random; default 2
	Seed        uint64 // of Random; the same seed draws the same servers

	// hash-type.
	Consistent    bool   // consistent, else map-based
	HashFunc      string // sdbm, djb2, crc32, none; default: sdbm, and with Consistent also Avalanche
	Avalanche     bool
	BalanceFactor int // hash-balance-factor, percent, above 100; 0: off

	QueueMax   int // waiters of the backend and of all its servers; default 0: bounded by the process's connections
	AllBackups bool
	FullConn   int // for MinConn; default 0: MaxConn always holds
	Servers    []ServerSpec
}

// A ServerSpec describes one server's share.
type ServerSpec struct {
	Name      string
	ID        int // puid; for the hash ring; default: its place in the section, from 1
	Origin    string
	Weight    int // 0..256; negative: default 1. Zero takes no new traffic but stuck sessions
	MaxConn   int // slots; 0: no bound
	MinConn   int // slots while the backend is idle; 0: MaxConn always
	MaxQueue  int // waiters; 0: no bound of its own
	Backup    bool
	Disabled  bool // starts in maintenance
	SlowStart time.Duration
}

// withDefaults fills in what zero stands for, and copies the servers.
func (spec Spec) withDefaults() Spec {
	if spec.RandomDraws == 0 {
		spec.RandomDraws = 2
	}
	if spec.HashFunc == "" {
		spec.HashFunc = "sdbm"
		if spec.Consistent {
			spec.Avalanche = true // manual: "consistent hash uses sdbm and avalanche if no hash function is specified"
		}
	}
	servers := make([]ServerSpec, len(spec.Servers))
	copy(servers, spec.Servers)
	spec.Servers = servers
	taken := make(map[int]bool, len(servers))
	for i := range servers {
		if servers[i].Weight < 0 {
			servers[i].Weight = 1
		}
		taken[servers[i].ID] = true
	}
	// manual, "id": an unused number is assigned. HAProxy's counter moves on for every server, numbered or not.
	next := 1
	for i := range servers {
		if servers[i].ID == 0 {
			for taken[next] {
				next++
			}
			servers[i].ID = next
			taken[next] = true
		}
		next++
	}
	return spec
}

// check reports the first thing in a Spec with defaults that cannot be.
func (spec *Spec) check() error {
	switch {
	case spec.Algorithm > Random:
		return fmt.Errorf("unknown %v", spec.Algorithm)
	case len(spec.Servers) > serversMax:
		return fmt.Errorf("%d servers, limit %d", len(spec.Servers), serversMax)
	case spec.RandomDraws < 1 || spec.RandomDraws > randomDrawsMax:
		return fmt.Errorf("random(%d): draws must be 1 to %d", spec.RandomDraws, randomDrawsMax)
	case spec.BalanceFactor != 0 && spec.BalanceFactor <= 100:
		return fmt.Errorf("hash-balance-factor %d: must be 0 or above 100", spec.BalanceFactor)
	case spec.QueueMax < 0 || spec.FullConn < 0:
		return fmt.Errorf("negative limit")
	}
	if _, ok := hashFuncs[spec.HashFunc]; !ok {
		return fmt.Errorf("hash-type: unknown function %q; sdbm, djb2, crc32 and none exist", spec.HashFunc)
	}
	names := make(map[string]bool, len(spec.Servers))
	ids := make(map[int]bool, len(spec.Servers))
	for i := range spec.Servers {
		s := &spec.Servers[i]
		if err := s.check(); err != nil {
			return fmt.Errorf("server %s: %w", s.Name, err)
		}
		if names[s.Name] || ids[s.ID] {
			return fmt.Errorf("server %s: its name or its id %d is taken", s.Name, s.ID)
		}
		names[s.Name], ids[s.ID] = true, true
	}
	return nil
}

func (s *ServerSpec) check() error {
	switch {
	case s.Weight > weightMax:
		return fmt.Errorf("weight %d, limit %d", s.Weight, weightMax)
	case s.ID < 1 || s.ID > idMax:
		return fmt.Errorf("id %d must be positive", s.ID)
	case s.MaxConn < 0 || s.MaxConn > slotsMax || s.MinConn < 0 || s.MinConn > slotsMax:
		return fmt.Errorf("maxconn %d, minconn %d: limit %d", s.MaxConn, s.MinConn, slotsMax)
	case s.MaxQueue < 0 || s.SlowStart < 0:
		return fmt.Errorf("negative maxqueue or slowstart")
	}
	return nil
}
