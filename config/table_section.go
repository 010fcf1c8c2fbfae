package config

// A sectionRow is a word that opens a section. These words can't be used for
// anything else, anywhere (manual 2.1).
type sectionRow struct {
	name    string
	in      where
	manual  string
	support support
	remark  string
}

var sectionTable = []sectionRow{
	{"global", inGlobal, "3", supported, "may be repeated; the parts are merged"},
	{"defaults", inDefaults, "4", supported, "named or not, with \"from\""},
	{"frontend", inFrontend, "4", supported, "an address on the line is an old form of bind"},
	{"backend", inBackend, "4", supported, ""},
	{"listen", inListen, "4", supported, "an address on the line is an old form of bind"},
	{"http-errors", inHTTPErrors, "3.8", supported, ""},
	{"resolvers", 0, "5.3.2", ignored, "weir resolves names through the system's resolver, and a server that names the section is refused"},
	{"userlist", 0, "3.4", ignored, "nothing that weir supports asks for a user yet"},
	{"peers", 0, "3.5", ignored, "weir has no stick tables yet, so there is nothing to replicate"},
	{"mailers", 0, "3.6", ignored, "weir sends no mail; email-alert is refused"},
	{"cache", 0, "6.2.1", ignored, "the rules and filters that would use it are refused"},
	{"ring", 0, "3.9", ignored, "a log target ring@NAME is refused"},
	{"fcgi-app", 0, "10.1.1", ignored, "use-fcgi-app is refused"},
	{"crt-store", 0, "3.11", ignored, "name certificates on bind lines or in a crt-list; crt @STORE/NAME is refused"},
	{"log-profile", 0, "8.3.5", ignored, "log lines that name a profile are refused"},
	{"traces", 0, "3.13", ignored, "weir has no traces of HAProxy's internals"},
	{"program", 0, "3.7", refused, "run the program from the service manager"},
	{"log-forward", 0, "3.10", refused, "use a syslog daemon to receive and forward messages"},
	{"acme", 0, "3.12", refused, "weir asks nobody for certificates"},
	{"dynamic-update", 0, "3", refused, "it belongs to HAProxy's enterprise edition"},
}

func sectionNamed(word string) (sectionRow, bool) {
	for _, row := range sectionTable {
		if row.name == word {
			return row, true
		}
	}
	return sectionRow{}, false
}

func sectionWords() []string {
	var names []string
	for _, row := range sectionTable {
		names = append(names, row.name)
	}
	return names
}
