package health

import (
	"testing"
	"time"
)

// Lines that HAProxy 2.6 wrote.
func TestCheckLinesAreHAProxys(t *testing.T) {
	for _, tt := range []struct {
		r    Report
		want string
	}{
		{Report{Server: "s1", Status: StatusL4OK, Up: true, Progress: 3, ProgressFrom: 3},
			`Health check for server bt/s1 succeeded, reason: Layer4 check passed, check duration: 0ms, status: 3/3 UP.`},
		{Report{Server: "s2", Status: StatusL4Con, Detail: "Connection refused", ProgressFrom: 2},
			`Health check for server bt/s2 failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms, status: 0/2 DOWN.`},
		{Report{Server: "h1", Status: StatusL7Sts, Code: 503, Detail: "Service Unavailable", Latency: 1900 * time.Microsecond, Up: true, Progress: 1, ProgressFrom: 3},
			`Health check for server bt/h1 failed, reason: Layer7 wrong status, code: 503, info: "Service Unavailable", check duration: 1ms, status: 1/3 UP.`},
		{Report{Server: "r", Status: StatusL7OKC, Code: 404, Up: true, Progress: 2, ProgressFrom: 2},
			`Health check for server bt/r conditionally succeeded, reason: Layer7 check conditionally passed, code: 404, check duration: 0ms, status: 2/2 UP.`},
		{Report{Server: "bk", Backup: true, Status: StatusL4Con, Detail: "Connection refused", ProgressFrom: 2},
			`Health check for backup server bt/bk failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms, status: 0/2 DOWN.`},
		{Report{Server: "t", Status: StatusL7OK, Detail: "(tcp-check)", Progress: 1, ProgressFrom: 2},
			`Health check for server bt/t succeeded, reason: Layer7 check passed, code: 0, info: "(tcp-check)", check duration: 0ms, status: 1/2 DOWN.`},
		{Report{Server: "s1", Status: StatusAnalyze, Observed: true, Detail: "Detected 3 consecutive errors, last one was: Wrong http response", Up: true, Progress: 2, ProgressFrom: 3},
			`Health check for server bt/s1 failed, reason: Health analyze, info: "Detected 3 consecutive errors, last one was: Wrong http response", status: 2/3 UP.`},
		{Report{Server: "q", Status: StatusL7Sts, Code: 500, Detail: "a\t\"b\xe9c", ProgressFrom: 2},
			`Health check for server bt/q failed, reason: Layer7 wrong status, code: 500, info: "a<09><22>b<E9>c", check duration: 0ms, status: 0/2 DOWN.`},
	} {
		if got := CheckLine("bt", &tt.r); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestStateLinesAreHAProxys(t *testing.T) {
	refused := Report{Server: "s1", Status: StatusL4Con, Detail: "Connection refused"}
	backup := refused
	backup.Backup = true
	passed := Report{Server: "s1", Up: true, Status: StatusL7OK, Code: 200}
	for _, tt := range []struct {
		r      Report
		counts BackendCounts
		want   string
	}{
		{refused, BackendCounts{Active: 1},
			`Server be/s1 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`},
		{refused, BackendCounts{Backup: 2},
			`Server be/s1 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 0 active and 2 backup servers left. Running on backup. 0 sessions active, 0 requeued, 0 remaining in queue.`},
		{backup, BackendCounts{Backup: 1},
			`Backup Server be/s1 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 0 active and 1 backup servers left. Running on backup. 0 sessions active, 0 requeued, 0 remaining in queue.`},
		{refused, BackendCounts{Sessions: 1, Requeued: 2, Queued: 3, Told: true},
			`Server be/s1 is DOWN. 0 active and 0 backup servers left. 1 sessions active, 2 requeued, 3 remaining in queue.`},
		{passed, BackendCounts{Active: 1, Backup: 1},
			`Server be/s1 is UP, reason: Layer7 check passed, code: 200, check duration: 0ms. 1 active and 1 backup servers online. 0 sessions requeued, 0 total in queue.`},
		{Report{Server: "s1", Up: true, Drain: true, Status: StatusL7OKC, Code: 404}, BackendCounts{},
			`Server be/s1 is stopping, reason: Layer7 check conditionally passed, code: 404, check duration: 0ms. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.`},
		{Report{Server: "s1", Status: StatusAnalyze, Observed: true, Detail: "Detected 3 consecutive errors, last one was: Wrong http response"}, BackendCounts{Sessions: 1},
			`Server be/s1 is DOWN, reason: Health analyze, info: "Detected 3 consecutive errors, last one was: Wrong http response". 0 active and 0 backup servers left. 1 sessions active, 0 requeued, 0 remaining in queue.`},
		{Report{Server: "t1", Via: "b1/s1"}, BackendCounts{},
			`Server be/t1 is DOWN via b1/s1. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`},
		{Report{Server: "t1", Up: true, Via: "b1/s1"}, BackendCounts{Active: 2},
			`Server be/t1 is UP via b1/s1. 2 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.`},
		{Report{Server: "t2", Ordered: true}, BackendCounts{Active: 1},
			`Server be/t2 is DOWN, changed from CLI. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`},
		{Report{Server: "t2", Ordered: true, Up: true, Drain: true}, BackendCounts{Active: 1},
			`Server be/t2 is stopping, changed from CLI. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.`},
	} {
		if got := StateLine("be", &tt.r, tt.counts); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestAdminLinesAreHAProxys(t *testing.T) {
	s2 := ServerName{Backend: "b1", Server: "s2", Backup: true}
	for change, want := range map[AdminChange]string{
		AdminMaintenance:     `Backup Server b1/s2 is going DOWN for maintenance. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.`,
		AdminMaintenanceDown: `Backup Server b1/s2 was DOWN and now enters maintenance.`,
		AdminReady:           `Backup Server b1/s2 is UP/READY (leaving forced maintenance).`,
		AdminDrain:           `Backup Server b1/s2 enters drain state. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.`,
		AdminUndrain:         `Backup Server b1/s2 is UP (leaving forced drain).`,
		AdminReadyDrain:      `Backup Server b1/s2 is UP/DRAIN (leaving forced maintenance).`,
	} {
		if got := AdminLine(s2, change, BackendCounts{Active: 1}); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestEveryStatusHasWords(t *testing.T) {
	for _, st := range []string{
		StatusUnknown, StatusInit, StatusSocket, StatusL4OK, StatusL4Tout, StatusL4Con, StatusL6OK, StatusL6Tout, StatusL6Rsp,
		StatusL7Tout, StatusL7Rsp, StatusL7OK, StatusL7OKC, StatusL7Sts, StatusAnalyze,
	} {
		if Reason(st) == "" {
			t.Errorf("%s has no words", st)
		}
	}
	for o := ObservedOK; o <= ObservedClosed; o++ {
		if o.String() == "" {
			t.Errorf("observation %d has no words", o)
		}
	}
	for status, want := range map[int]Observation{100: ObservedOK, 404: ObservedOK, 500: ObservedStatus, 501: ObservedOK, 503: ObservedStatus, 505: ObservedOK} {
		if got := ObservedResponse(status); got != want {
			t.Errorf("status %d: %v, want %v", status, got, want)
		}
	}
}
