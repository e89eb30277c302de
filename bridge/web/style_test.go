package web

import (
	"regexp"
	"slices"
	"testing"
)

// A state of a ticket's line or card ("ticked", "added") is a class beside one of the screen's own, and the sheet that all
// pages share must not have a rule of its own for it: a cook's line once became a box of the console.
func TestSharedSheetLeavesScreensAlone(t *testing.T) {
	read := func(name string) string {
		text, err := files().read(name)
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAllString(string(text), "")
	}
	shared := map[string]bool{}
	bare := regexp.MustCompile(`(?:^|[\s,>+~(])\.([a-z][\w-]*)`)
	for _, rule := range regexp.MustCompile(`([^{}]+)\{`).FindAllStringSubmatch(read("style.css"), -1) {
		for _, m := range bare.FindAllStringSubmatch(rule[1], -1) {
			shared[m[1]] = true
		}
	}
	meant := []string{"icon", "shape", "hide"}
	states := regexp.MustCompile(`\.[kx]-[\w-]+\.([a-z][\w-]*)`)
	n := 0
	for _, sheet := range []string{"kitchen.css", "expo.css"} {
		for _, m := range states.FindAllStringSubmatch(read(sheet), -1) {
			n++
			if shared[m[1]] && !slices.Contains(meant, m[1]) {
				t.Errorf("style.css has a rule for .%s, which %s uses for a state", m[1], sheet)
			}
		}
	}
	if n < 10 {
		t.Errorf("only %d states were found", n)
	}
}
