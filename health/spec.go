package health

import "time"

// Kind is the check's protocol.
type Kind uint8

const (
	TCP    Kind = iota // connect, no bytes
	HTTP               // option httpchk
	Script             // option tcp-check: Steps; none means connect
)

// A Spec is what all checks of a backend share (manual "option httpchk",
// "http-check").
type Spec struct {
	Kind    Kind
	Method  string // default OPTIONS
	URI     string // default /
	Version string // default HTTP/1.0
	Headers [][2]string
	Body    string
	// Expect is "http-check expect status": ranges of accepted codes; empty
	// means 200-399. ExpectNot turns it round.
	Expect       [][2]int
	ExpectNot    bool
	ExpectString string
	DisableOn404 bool
	SendState    bool
	// Timeout is "timeout check": it runs from the moment the connection stands,
	// which has min(timeout connect, inter). Without it the whole check has inter.
	Timeout time.Duration

	// Steps are the rules of tcp-check and http-check in file order. With Kind
	// HTTP they take the place of the fields from Method to ExpectString, which
	// are the short form of one request and one expectation.
	Steps   []Step
	BufSize int // bytes of an answer that are looked at (tune.bufsize); default 16384
}

// A ServerSpec is the check of one server (manual section 5.2).
type ServerSpec struct {
	Enabled   bool          // check
	Inter     time.Duration // default 2 s
	FastInter time.Duration // default Inter
	DownInter time.Duration // default Inter
	Rise      int           // default 2
	Fall      int           // default 3
	Addr      string        // default: the server's
	Port      int           // default: the server's
	SendProxy bool          // check-send-proxy

	Observe             Observe
	ErrorLimit          int // default 10
	OnError             OnError
	ShutdownOnDown      bool   // on-marked-down shutdown-sessions
	ShutdownBackupsOnUp bool   // on-marked-up shutdown-backup-sessions
	Track               string // "backend/server"
	InitState           string // init-state: fully-up, up (default), down, fully-down
}

// Observe is passive checking of live traffic.
type Observe uint8

const (
	ObserveNone Observe = iota
	ObserveLayer4
	ObserveLayer7
)

// OnError is what ErrorLimit consecutive errors of observed traffic do.
type OnError uint8

const (
	OnErrorFailCheck   OnError = iota // counts as one failed check (default)
	OnErrorFastInter                  // only shortens the interval
	OnErrorSuddenDeath                // one more failed check takes the server down
	OnErrorMarkDown                   // down at once
)
