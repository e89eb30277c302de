package board

import (
	"os"

	"golang.org/x/sys/unix"
)

// Where systemd-timesyncd shows what it does, for a service whose sandbox keeps it from asking the kernel.
const (
	timesyncFolder = "/run/systemd/timesync"
	timesyncDone   = timesyncFolder + "/synchronized"
)

// clock tells whether a time server holds the clock.
func clock() (synchronised, known bool) {
	var t unix.Timex
	if state, err := unix.Adjtimex(&t); err == nil {
		return state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0, true
	}
	if _, err := os.Stat(timesyncDone); err == nil {
		return true, true
	}
	_, err := os.Stat(timesyncFolder)
	return false, err == nil
}
