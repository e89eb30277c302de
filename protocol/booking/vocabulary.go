package booking

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Meaning is what a platform's word says.
type Meaning struct {
	Status  Status
	Stage   Stage
	Late    bool
	Sure    bool // confirmed by the guest
	Assumed bool // set by a job of the platform's
}

// A Word is our name of a meaning and how a platform spells it. The first word of a table that has a stage or a status is
// the one that is written for it.
type Word struct {
	Name string // lower case with underscores: all_arrived
	Wire string
	Meaning
}

// Vocabulary translates between the wire and us. Matching is exact: a word that only resembles one is not guessed at.
type Vocabulary struct{ words []Word }

// NewVocabulary takes a platform's own table and what the venue spells differently, by Name. A name that the table does not
// have, an empty spelling and one spelling for two words are errors.
func NewVocabulary(table []Word, other map[string]string) (Vocabulary, error) {
	words := slices.Clone(table)
	for _, name := range slices.Sorted(maps.Keys(other)) {
		at := slices.IndexFunc(words, func(w Word) bool { return w.Name == name })
		if at < 0 {
			var names []string
			for _, w := range table {
				names = append(names, w.Name)
			}
			return Vocabulary{}, fmt.Errorf("vocabulary has no word %q; it has %s", name, strings.Join(names, ", "))
		}
		if other[name] == "" {
			return Vocabulary{}, fmt.Errorf("vocabulary gives no spelling for %q", name)
		}
		words[at].Wire = other[name]
	}
	for i, w := range words {
		if at := slices.IndexFunc(words[:i], func(v Word) bool { return v.Wire == w.Wire }); at >= 0 {
			return Vocabulary{}, fmt.Errorf("vocabulary spells both %q and %q as %q", words[at].Name, w.Name, w.Wire)
		}
	}
	return Vocabulary{words}, nil
}

// Read gives the meaning of a word on the wire.
func (v Vocabulary) Read(wire string) (Meaning, bool) {
	for i := range v.words {
		if v.words[i].Wire == wire {
			return v.words[i].Meaning, true
		}
	}
	return Meaning{}, false
}

// Write spells a stage.
func (v Vocabulary) Write(s Stage) (string, bool) {
	return v.write(func(m Meaning) bool { return m.Stage == s && !m.Assumed })
}

// WriteStatus spells a status that is no stage of a meal; seated is the stage of that name where the table has one.
func (v Vocabulary) WriteStatus(s Status) (string, bool) {
	if wire, ok := v.write(func(m Meaning) bool { return m.Status == s && m.Stage == "" && !m.Assumed && !m.Late }); ok {
		return wire, true
	}
	return v.write(func(m Meaning) bool { return m.Status == s && !m.Assumed && !m.Late })
}

func (v Vocabulary) write(fits func(Meaning) bool) (string, bool) {
	for i := range v.words {
		if fits(v.words[i].Meaning) {
			return v.words[i].Wire, true
		}
	}
	return "", false
}
