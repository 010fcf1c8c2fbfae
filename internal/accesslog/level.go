package accesslog

// Level is a syslog severity (RFC 5424 section 6.2.1); lower is worse.
type Level uint8

const (
	LevelEmerg Level = iota
	LevelAlert
	LevelCrit
	LevelErr
	LevelWarning
	LevelNotice
	LevelInfo
	LevelDebug

	levels // how many there are
)

var levelNames = [levels]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// String gives the name as it stands on a log line of the configuration.
func (l Level) String() string {
	if l < levels {
		return levelNames[l]
	}
	return "unknown"
}

// ParseLevel finds the level called name.
func ParseLevel(name string) (Level, bool) {
	for i, n := range levelNames {
		if n == name {
			return Level(i), true
		}
	}
	return 0, false
}

// facilities in the order of their numbers (manual, "log").
var facilities = [...]string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news",
	"uucp", "cron", "auth2", "ftp", "ntp", "audit", "alert", "cron2",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

func facilityOf(name string) (int, bool) {
	for i, n := range facilities {
		if n == name {
			return i, true
		}
	}
	return 0, false
}
