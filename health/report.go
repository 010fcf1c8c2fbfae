package health

import (
	"strconv"
	"time"
)

// A Report is what a check, a run of errors or an order found out about a
// server. It is a value that shares nothing.
type Report struct {
	Backend, Server string
	Backup          bool

	Up      bool // the server may have sessions
	Drain   bool // but no new ones
	Changed bool // Up or Drain is not what it was
	Alert   bool // Changed, and worth log level alert: it went down from full service
	Noted   bool // option log-health-checks wants a CheckLine: a new status, or progress
	Result  bool // a check ended or errors were observed; false for orders

	Status   string // StatusL4OK and the like
	Code     int    // HTTP status; 0: none
	Detail   string // info in log lines; without what a terminal would obey
	Latency  time.Duration
	Observed bool   // live traffic said so: there is no Latency
	Ordered  bool   // the CLI said so
	Via      string // "backend/server" that is tracked and said so

	State                  string // "UP 1/3"
	Progress, ProgressFrom int    // 1, 3
	Rise, Fall             int
	ShutdownSessions       bool // Changed to down, with on-marked-down shutdown-sessions
	ShutdownBackups        bool // Changed to up, with on-marked-up shutdown-backup-sessions
}

// BackendCounts are the numbers at the end of a line about a change of state.
type BackendCounts struct {
	Active, Backup int // servers that take sessions
	Sessions       int // on the server
	Requeued       int // taken from the server's queue
	Queued         int // in the backend's queue
	// Told means that a CheckLine has given the reason (option log-health-checks).
	Told bool
}

// CheckLine is the line of option log-health-checks about one check.
func CheckLine(backend string, r *Report) string {
	b := append(make([]byte, 0, 192), "Health check for "...)
	if r.Backup {
		b = append(b, "backup "...)
	}
	b = append(append(append(append(b, "server "...), backend...), '/'), r.Server...)
	switch outcomeOf(r.Status) {
	case Passed:
		b = append(b, " succeeded"...)
	case Conditional:
		b = append(b, " conditionally succeeded"...)
	case Failed:
		b = append(b, " failed"...)
	}
	b = appendReason(b, r)
	b = append(append(b, ", status: "...), ratio(r.Progress, r.ProgressFrom)...)
	if r.Up {
		return string(append(b, " UP."...))
	}
	return string(append(b, " DOWN."...))
}

// StateLine is the line about a server that changed its state.
func StateLine(backend string, r *Report, counts BackendCounts) string {
	b := appendServer(make([]byte, 0, 256), ServerName{Backend: backend, Server: r.Server, Backup: r.Backup})
	switch {
	case !r.Up:
		b = append(b, " is DOWN"...)
	case r.Drain:
		b = append(b, " is stopping"...)
	default:
		b = append(b, " is UP"...)
	}
	switch {
	case r.Via != "":
		b = append(append(b, " via "...), r.Via...)
	case r.Ordered:
		b = append(b, ", changed from CLI"...)
	case !counts.Told:
		b = appendReason(b, r)
	}
	return string(appendCounts(append(b, ". "...), counts, !r.Up))
}

func appendReason(b []byte, r *Report) []byte {
	b = append(append(b, ", reason: "...), Reason(r.Status)...)
	if hasCode(r.Status) {
		b = strconv.AppendInt(append(b, ", code: "...), int64(r.Code), 10)
	}
	if r.Detail != "" {
		b = append(appendEscaped(append(b, `, info: "`...), r.Detail), '"')
	}
	if !r.Observed {
		b = strconv.AppendInt(append(b, ", check duration: "...), r.Latency.Milliseconds(), 10)
		b = append(b, "ms"...)
	}
	return b
}

// appendCounts has two forms: what is left when a server goes, what is online
// when one comes.
func appendCounts(b []byte, c BackendCounts, down bool) []byte {
	b = strconv.AppendInt(b, int64(c.Active), 10)
	b = strconv.AppendInt(append(b, " active and "...), int64(c.Backup), 10)
	if !down {
		b = strconv.AppendInt(append(b, " backup servers online. "...), int64(c.Requeued), 10)
		b = strconv.AppendInt(append(b, " sessions requeued, "...), int64(c.Queued), 10)
		return append(b, " total in queue."...)
	}
	b = append(b, " backup servers left. "...)
	if c.Active == 0 && c.Backup > 0 {
		b = append(b, "Running on backup. "...)
	}
	b = strconv.AppendInt(b, int64(c.Sessions), 10)
	b = strconv.AppendInt(append(b, " sessions active, "...), int64(c.Requeued), 10)
	b = strconv.AppendInt(append(b, " requeued, "...), int64(c.Queued), 10)
	return append(b, " remaining in queue."...)
}

// A ServerName is a server in a log line.
type ServerName struct {
	Backend, Server string
	Backup          bool
}

func appendServer(b []byte, s ServerName) []byte {
	if s.Backup {
		b = append(b, "Backup "...)
	}
	return append(append(append(append(b, "Server "...), s.Backend...), '/'), s.Server...)
}

// AdminChange is what the run-time CLI did to a server.
type AdminChange uint8

const (
	AdminMaintenance     AdminChange = iota // an up server enters maintenance
	AdminMaintenanceDown                    // a down server enters maintenance
	AdminReady                              // it leaves maintenance
	AdminDrain                              // it enters drain state
	AdminUndrain                            // it leaves drain state
	AdminReadyDrain                         // it leaves maintenance for drain state
)

// AdminLine is the line about what the CLI did. The level is alert for
// AdminMaintenance of a server that was not draining, else notice.
func AdminLine(s ServerName, change AdminChange, counts BackendCounts) string {
	b := appendServer(make([]byte, 0, 192), s)
	switch change {
	case AdminMaintenance:
		return string(appendCounts(append(b, " is going DOWN for maintenance. "...), counts, true))
	case AdminMaintenanceDown:
		return string(append(b, " was DOWN and now enters maintenance."...))
	case AdminReady:
		return string(append(b, " is UP/READY (leaving forced maintenance)."...))
	case AdminDrain:
		return string(appendCounts(append(b, " enters drain state. "...), counts, false))
	case AdminUndrain:
		return string(append(b, " is UP (leaving forced drain)."...))
	case AdminReadyDrain:
		return string(append(b, " is UP/DRAIN (leaving forced maintenance)."...))
	}
	return string(b)
}

// appendEscaped writes what came from a server so that it stays within its
// quotes and line: other bytes than printable ASCII as <XX>.
func appendEscaped(b []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' {
			b = append(b, '<', digits[c>>4], digits[c&15], '>')
		} else {
			b = append(b, c)
		}
	}
	return b
}

func ratio(n, of int) string { return strconv.Itoa(n) + "/" + strconv.Itoa(of) }
