package journal

import "time"

// Micros is a moment as the tables keep it, microseconds since 1970 UTC; the zero time, "not yet", is 0.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// FromMicros is Micros read back.
func FromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
