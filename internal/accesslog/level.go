package accesslog

import "strconv"

// A Level is a syslog severity (RFC 5424 section 6.2.1): smaller is worse.
type Level uint8

const (
	LevelEmerg   Level = iota // the system is unusable
	LevelAlert                // act at once
	LevelCrit                 // critical conditions
	LevelErr                  // errors
	LevelWarning              // warnings
	LevelNotice               // normal but significant
	LevelInfo                 // traffic
	LevelDebug                // for developers
)

var levelNames = [...]string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "level " + strconv.Itoa(int(l))
}

// ParseLevel reads a level's name as the manual's "log" keyword has it.
func ParseLevel(s string) (Level, bool) {
	for i, name := range levelNames {
		if name == s {
			return Level(i), true
		}
	}
	return 0, false
}

var facilityNames = [...]string{
	"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "auth2", "ftp", "ntp",
	"audit", "alert", "cron2", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
}

// ParseFacility reads a facility's name and gives its number.
func ParseFacility(s string) (int, bool) {
	for i, name := range facilityNames {
		if name == s {
			return i, true
		}
	}
	return 0, false
}
