// Package trail is the time line that a row carries with it: a text column to which each step adds one line, in the
// transaction that makes the step. Orders, tickets and print jobs each have one; put together they tell, to the
// microsecond, how an order came through the house.
package trail

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"aboyeur/bridge/journal"
)

// A Step is one moment in the life of an order, its tickets or their print jobs.
type Step struct {
	At      time.Time   `json:"at"`
	Event   string      `json:"event"`
	Ticket  *journal.ID `json:"ticket,omitzero"`
	Job     *journal.ID `json:"job,omitzero"`
	Station string      `json:"station,omitzero"`
	Printer string      `json:"printer,omitzero"`
	By      string      `json:"by,omitzero"`
	Detail  string      `json:"detail,omitzero"`
}

// Append adds a line to a column: time in microseconds, event, who, detail, parted by tabs.
func Append(b []byte, at time.Time, event, by, detail string) []byte {
	b = strconv.AppendInt(b, at.UnixMicro(), 10)
	for _, word := range [...]string{event, by, detail} {
		b = append(b, '\t')
		for i := range len(word) {
			c := word[i]
			if c < ' ' {
				c = ' '
			}
			b = append(b, c)
		}
	}
	return append(b, '\n')
}

// Parse reads a column back; a line it cannot read is skipped, since a time line with a gap beats none.
func Parse(log string) []Step {
	var steps []Step
	for line := range strings.Lines(log) {
		words := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(words) != 4 {
			continue
		}
		us, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			continue
		}
		steps = append(steps, Step{At: time.UnixMicro(us).UTC(), Event: words[1], By: words[2], Detail: words[3]})
	}
	return steps
}

// Sort puts steps in the order of time; those of one moment stay as they came.
func Sort(steps []Step) {
	slices.SortStableFunc(steps, func(a, b Step) int { return cmp.Compare(a.At.UnixMicro(), b.At.UnixMicro()) })
}
