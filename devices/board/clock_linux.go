package board

import "golang.org/x/sys/unix"

// Where systemd-timesyncd shows what it does, for a service whose sandbox keeps it from asking the kernel.
const timesyncFolder = "/run/systemd/timesync"

// clock tells whether a time server holds the clock.
func clock() (synchronised, known bool) {
	var t unix.Timex
	if state, err := unix.Adjtimex(&t); err == nil {
		return state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0, true
	}
	return timesync(timesyncFolder)
}

// timesync asks the folder that systemd-timesyncd keeps; without one, somebody else may hold the clock.
func timesync(folder string) (synchronised, known bool) {
	if unix.Access(folder+"/synchronized", unix.F_OK) == nil {
		return true, true
	}
	return false, unix.Access(folder, unix.F_OK) == nil
}
