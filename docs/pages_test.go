package docs_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	firmwareconfig "aboyeur/firmware-config"
)

// pages are the documents that people read: those of this folder, of the root and of bench; the spec keeps its own.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.md", "decisions/*.md", "../*.md", "../bench/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 10 {
		t.Fatalf("found %d pages; there are more", len(all))
	}
	return all
}

// fenced gives the blocks of a page that are fenced as language.
func fenced(t *testing.T, page, language string) []string {
	t.Helper()
	var blocks []string
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(text(t, page), -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// A menu file in a page is one that a box takes.
func TestMenusAreTaken(t *testing.T) {
	euro, _ := firmwareconfig.LookupCurrency("EUR")
	n := 0
	for _, page := range pages(t) {
		for _, block := range fenced(t, page, "menu") {
			n++
			if _, err := firmwareconfig.ParseMenu(page, []byte(block), euro); err != nil {
				t.Error(err)
			}
		}
	}
	if n == 0 {
		t.Error("no page shows a menu file")
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)|src="([^"]+)"`)

func TestLinksLeadSomewhere(t *testing.T) {
	for _, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(text(t, page), -1) {
			to, _, _ := strings.Cut(m[1]+m[2], "#")
			if to == "" || strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), to)); err != nil {
				t.Errorf("%s: nothing is at %s", page, to)
			}
		}
	}
}

func TestEveryPageIsInTheIndex(t *testing.T) {
	index := text(t, "README.md")
	for _, page := range pages(t) {
		if strings.HasPrefix(page, "..") || page == "README.md" {
			continue
		}
		if !strings.Contains(index, "("+page+")") {
			t.Errorf("README.md of docs does not lead to %s", page)
		}
	}
}

// A whole configuration in a page is one that the box accepts.
func TestConfigurationsAreValid(t *testing.T) {
	whole := 0
	for _, page := range pages(t) {
		for _, block := range fenced(t, page, "yaml") {
			if !strings.Contains(block, "\nsite:") && !strings.HasPrefix(block, "site:") {
				continue
			}
			whole++
			if _, err := firmwareconfig.Parse(page, []byte(block)); err != nil {
				t.Errorf("the configuration in %s: %v", page, err)
			}
		}
	}
	if whole == 0 {
		t.Error("no page shows a whole configuration")
	}
}

func TestJSONIsJSON(t *testing.T) {
	for _, page := range pages(t) {
		for _, block := range fenced(t, page, "json") {
			if !json.Valid([]byte(block)) {
				t.Errorf("%s: not JSON: %s", page, block)
			}
		}
	}
}

var (
	metricInSource = regexp.MustCompile(`(?m)(?:Name:|\()\s*"(aboyeur_[a-z_]+)"`)
	metricInPage   = regexp.MustCompile("`(aboyeur_[a-z_]+)")
)

// Every metric of the source is explained in read-the-health.md, and no other is.
func TestMetricsAreExplained(t *testing.T) {
	var made []string
	err := filepath.WalkDir("../bridge", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		for _, m := range metricInSource.FindAllSubmatch(b, -1) {
			made = append(made, string(m[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, line := range lines(t, "read-the-health.md") {
		if m := metricInPage.FindStringSubmatch(line); m != nil && strings.HasPrefix(line, "| `aboyeur_") {
			told = append(told, m[1])
		}
	}
	differ(t, "metric", made, told)
}

// Every warning the box can raise is in read-the-health.md, and no other is.
func TestWarningsAreExplained(t *testing.T) {
	var catalogue map[string]any
	if err := json.Unmarshal([]byte(text(t, "../bridge/words/catalogue/en.json")), &catalogue); err != nil {
		t.Fatal(err)
	}
	codes := []string{"journal_damaged", "journal_set_aside"} // the journal brings its own words
	for key := range catalogue {
		if code, ok := strings.CutPrefix(key, "warning."); ok && !strings.Contains(code, ".") {
			codes = append(codes, code)
		}
	}
	var told []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (?:critical|warning|info) ").FindAllStringSubmatch(text(t, "read-the-health.md"), -1) {
		told = append(told, m[1])
	}
	differ(t, "warning", codes, told)
}

func differ(t *testing.T, what string, made, told []string) {
	t.Helper()
	slices.Sort(made)
	slices.Sort(told)
	made = slices.Compact(made)
	for _, name := range made {
		if !slices.Contains(told, name) {
			t.Errorf("the %s %s is not in read-the-health.md", what, name)
		}
	}
	for i, name := range told {
		if !slices.Contains(made, name) {
			t.Errorf("read-the-health.md tells of the %s %s, which the box does not have", what, name)
		}
		if i > 0 && told[i-1] == name {
			t.Errorf("read-the-health.md tells of the %s %s twice", what, name)
		}
	}
}

var required = regexp.MustCompile(`^\t(?:require )?(\S+) (v\S+)(.*)$`)

// Every module required directly is in dependencies.md with the version in use.
func TestDependenciesAreExplained(t *testing.T) {
	page := text(t, "dependencies.md")
	all := map[string]string{}
	for _, line := range lines(t, "../go.mod") {
		m := required.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		all[m[1]] = m[2]
		if strings.Contains(m[3], "indirect") {
			continue
		}
		if !strings.Contains(page, "| "+m[1]+" | "+m[2]+" |") {
			t.Errorf("dependencies.md has no row of %s %s", m[1], m[2])
		}
	}
	if len(all) == 0 {
		t.Fatal("go.mod requires nothing")
	}
	for _, m := range regexp.MustCompile(`(?m)^\| (\S+/\S+) \| (v\S+) \|`).FindAllStringSubmatch(page, -1) {
		if all[m[1]] != m[2] {
			t.Errorf("dependencies.md tells of %s %s; go.mod has %q", m[1], m[2], all[m[1]])
		}
	}
}
