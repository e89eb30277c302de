//go:build emulate

package emulate_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// A story is the transcript: what happened, with the seconds since the walk began.
type story struct {
	t     *testing.T
	began time.Time

	mu  sync.Mutex // guards doc
	doc strings.Builder
}

func (s *story) note(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n ")
	if text == "" {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.SplitSeq(text, "\n") {
		if i := strings.LastIndexByte(strings.TrimRight(line, " \r"), '\r'); i >= 0 { // a progress bar: as it stands at last
			line = line[i+1:]
		}
		fmt.Fprintf(&s.doc, "%7.1f %s\n", time.Since(s.began).Seconds(), strings.TrimRight(line, " \r"))
	}
	s.t.Logf("%7.1f %s", time.Since(s.began).Seconds(), text)
}

func (s *story) chapter(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(&s.doc, "```\n\n## %s\n\n```text\n", name)
	s.t.Logf("%7.1f == %s", time.Since(s.began).Seconds(), name)
}

// paper puts a ticket into the transcript.
func (s *story) paper(printer, text string) {
	s.note("paper of %s:", printer)
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		s.note("    | %s", line)
	}
}

func (s *story) write(path, title, head string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return os.WriteFile(path, []byte("# "+title+"\n\n"+head+"\n\n"+strings.TrimPrefix(s.doc.String(), "```\n\n")+"```\n"), 0o644)
}
