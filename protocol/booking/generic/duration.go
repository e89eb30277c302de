package generic

import (
	"strconv"
	"strings"
	"time"
)

// maxDuration bounds an expected duration.
const maxDuration = 7 * 24 * time.Hour

// ParseDuration reads a duration of ISO 8601 in days, hours, minutes and seconds, as PT1H30M; at most a week.
func ParseDuration(s string) (time.Duration, bool) {
	rest, ok := strings.CutPrefix(s, "P")
	if !ok || rest == "" {
		return 0, false
	}
	date, clock, timed := strings.Cut(rest, "T")
	if timed && clock == "" {
		return 0, false
	}
	var sum time.Duration
	read := func(part, units string, size []time.Duration) bool {
		for part != "" {
			n := 0
			for n < len(part) && part[n] >= '0' && part[n] <= '9' {
				n++
			}
			if n == 0 || n > 7 || n == len(part) {
				return false
			}
			at := strings.IndexByte(units, part[n])
			if at < 0 {
				return false
			}
			v, err := strconv.Atoi(part[:n])
			if err != nil {
				return false
			}
			sum += time.Duration(v) * size[at]
			if sum > maxDuration {
				return false
			}
			units, size, part = units[at+1:], size[at+1:], part[n+1:]
		}
		return true
	}
	if !read(date, "D", []time.Duration{24 * time.Hour}) || !read(clock, "HMS", []time.Duration{time.Hour, time.Minute, time.Second}) {
		return 0, false
	}
	return sum, true
}

// FormatDuration writes d as ParseDuration reads it, in whole seconds.
func FormatDuration(d time.Duration) string {
	d = d.Truncate(time.Second)
	var b strings.Builder
	b.WriteString("PT")
	for _, u := range []struct {
		size time.Duration
		name byte
	}{{time.Hour, 'H'}, {time.Minute, 'M'}, {time.Second, 'S'}} {
		if n := d / u.size; n > 0 || u.name == 'S' && b.Len() == 2 {
			b.WriteString(strconv.Itoa(int(n)))
			b.WriteByte(u.name)
			d -= n * u.size
		}
	}
	return b.String()
}
