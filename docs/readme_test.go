package docs_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ran are the commands of the README and where CI runs each: a file, and the words in it that do so.
var ran = map[string]struct{ file, words string }{
	"make run":            {"../.ci/run", "make run SECONDS=10"},
	"make run SECONDS=20": {"../.ci/run", "make run SECONDS=10"},
	"make test":           {"../.ci/run", "make test"},
}

func TestREADMECommandsRunInCI(t *testing.T) {
	commands := fenced(t, "../README.md", "sh")
	if len(commands) == 0 {
		t.Fatal("the README shows no command")
	}
	for _, block := range commands {
		for line := range strings.Lines(block) {
			command, _, _ := strings.Cut(line, "#")
			if command = strings.TrimSpace(command); command == "" {
				continue
			}
			where, known := ran[command]
			if !known {
				t.Errorf("nothing runs %q; have CI do so and add it here, or move it to a page of docs", command)
				continue
			}
			if !strings.Contains(text(t, where.file), where.words) {
				t.Errorf("%s does not run %q, which stands for %q", where.file, where.words, command)
			}
		}
	}
}

var (
	target = regexp.MustCompile("`make ([a-z-]+)")
	rule   = regexp.MustCompile(`(?m)^([a-z-]+):`)
)

func TestMakeTargetsExist(t *testing.T) {
	var targets []string
	for _, m := range rule.FindAllStringSubmatch(text(t, "../Makefile"), -1) {
		targets = append(targets, m[1])
	}
	for _, page := range pages(t) {
		for _, m := range target.FindAllStringSubmatch(text(t, page), -1) {
			if !slices.Contains(targets, m[1]) {
				t.Errorf("%s: the Makefile has no target %s", page, m[1])
			}
		}
	}
}
