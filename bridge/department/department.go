package department

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"aboyeur/bridge/access"
	"aboyeur/bridge/api"
	"aboyeur/bridge/journal"
)

// A Department is a part of the card with the statistic category it was given here.
type Department struct {
	Name     string `json:"name" doc:"as lines of orders and checks call it: their category"`
	Category string `json:"category,omitzero" doc:"statistic category, as the till calls it"`
	Value    string `json:"value,omitzero" doc:"its value, which courses are mapped by; empty: the department says nothing of the meal"`
}

// A Group is a statistic category with one of its values, as the till has it.
type Group struct {
	Category string `json:"category"`
	Value    string `json:"value"`
	Stale    bool   `json:"stale,omitzero" doc:"the till knew it once and no longer does"`
}

// Bounds of what is kept.
const (
	maxDepartments = 500
	maxGroups      = 2000
	maxName        = 100 // characters
)

// Errors of Import.
var (
	ErrNoImport = errors.New("this till has no list of statistic groups; give each department its category by hand")
	ErrEmpty    = errors.New("the till answered without any statistic group; nothing was changed")
)

const (
	keyDepartments = "departments"
	keyGroups      = "departments/groups"
)

// Config is what departments need.
type Config struct {
	Journal *journal.Journal
	Known   []string                                   // departments that the configuration names
	Groups  func(ctx context.Context) ([]Group, error) // reads the till's; nil: it has none to read
	Now     func() time.Time
	Log     *slog.Logger // nil means slog.Default
}

// Service keeps departments. Its methods may be called from any goroutine.
type Service struct {
	c     Config
	value atomic.Pointer[map[string]string] // by normal name; holds those that were given a value
}

// New reads what is stored.
func New(ctx context.Context, c Config) (*Service, error) {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	s := &Service{c: c}
	list, _, err := s.stored(ctx)
	if err != nil {
		return nil, err
	}
	s.take(list)
	return s, nil
}

// Value is the statistic value of a line: that of its department if it was given one here, else what the till said. It is
// called on the order path and allocates nothing for composed text.
func (s *Service) Value(said, department string) string {
	values := *s.value.Load()
	if len(values) == 0 || department == "" {
		return said
	}
	if v, ok := values[normal(department)]; ok {
		return v
	}
	return said
}

func (s *Service) take(list []Department) {
	values := make(map[string]string, len(list))
	for _, d := range list {
		if d.Value != "" {
			values[d.Name] = d.Value
		}
	}
	s.value.Store(&values)
}

// normal is how names are compared: composed, without blanks around, case as it is (spec/pos.md 5).
func normal(s string) string { return strings.TrimSpace(norm.NFC.String(s)) }

func (s *Service) stored(ctx context.Context) (list []Department, revision int64, err error) {
	set, err := s.c.Journal.Setting(ctx, keyDepartments)
	switch {
	case errors.Is(err, journal.ErrNoSetting):
		return []Department{}, 0, nil
	case err != nil:
		return nil, 0, err
	}
	if err := json.Unmarshal(set.Value, &list); err != nil {
		return nil, 0, fmt.Errorf("setting %s: %w", keyDepartments, err)
	}
	return list, set.Revision, nil
}

// imported are the till's groups as they were read last.
type imported struct {
	At     time.Time `json:"at"`
	Groups []Group   `json:"groups"`
}

func (s *Service) imports(ctx context.Context) (v imported, err error) {
	set, err := s.c.Journal.Setting(ctx, keyGroups)
	switch {
	case errors.Is(err, journal.ErrNoSetting):
		return v, nil
	case err != nil:
		return v, err
	}
	if err := json.Unmarshal(set.Value, &v); err != nil {
		return v, fmt.Errorf("setting %s: %w", keyGroups, err)
	}
	return v, nil
}

// View is all there is of departments.
type View struct {
	Value      []Department `json:"value"`
	Revision   int64        `json:"revision" doc:"0 while nobody wrote any"`
	Known      []string     `json:"known" doc:"departments that the configuration names"`
	Groups     []Group      `json:"groups" doc:"statistic groups of the till, as they were imported last"`
	Imports    bool         `json:"imports" doc:"the till has a list to import"`
	ImportedAt time.Time    `json:"imported_at,omitzero"`
}

// View reads all of it.
func (s *Service) View(ctx context.Context) (View, error) {
	list, revision, err := s.stored(ctx)
	if err != nil {
		return View{}, err
	}
	in, err := s.imports(ctx)
	if err != nil {
		return View{}, err
	}
	v := View{Value: list, Revision: revision, Known: s.c.Known, Groups: in.Groups, Imports: s.c.Groups != nil, ImportedAt: in.At}
	if v.Known == nil {
		v.Known = []string{}
	}
	if v.Groups == nil {
		v.Groups = []Group{}
	}
	return v, nil
}

// Put replaces the departments, all or none. It counts for the next line that is ordered.
func (s *Service) Put(ctx context.Context, by access.Principal, revision int64, list []Department) error {
	fresh := make([]Department, len(list))
	for i, d := range list {
		fresh[i] = Department{normal(d.Name), normal(d.Category), normal(d.Value)}
	}
	if err := api.Invalid(check(fresh)); err != nil {
		return err
	}
	slices.SortFunc(fresh, func(a, b Department) int { return strings.Compare(a.Name, b.Name) })
	value, err := json.Marshal(fresh)
	if err != nil {
		return err
	}
	return s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if _, err := tx.PutSetting(keyDepartments, value, revision, by.Name); err != nil {
			return err
		}
		tx.After(func(err error) {
			if err == nil {
				s.take(fresh)
			}
		})
		return access.Record(tx, by, "setting", keyDepartments, fmt.Sprintf("%d departments", len(fresh)))
	})
}

func check(list []Department) (faults []api.Fault) {
	if len(list) > maxDepartments {
		return []api.Fault{{Pointer: "/value", Detail: fmt.Sprintf("has %d departments; at most %d", len(list), maxDepartments)}}
	}
	at := map[string]int{}
	for i, d := range list {
		wrong := func(member, detail string) {
			faults = append(faults, api.Fault{Pointer: fmt.Sprintf("/value/%d/%s", i, member), Detail: detail})
		}
		for _, m := range []struct{ member, text string }{{"name", d.Name}, {"category", d.Category}, {"value", d.Value}} {
			switch {
			case utf8.RuneCountInString(m.text) > maxName:
				wrong(m.member, fmt.Sprintf("has more than %d characters", maxName))
			case strings.ContainsFunc(m.text, unicode.IsControl):
				wrong(m.member, "has a character that cannot be seen; write it on one line")
			}
		}
		switch n, twice := at[d.Name]; {
		case d.Name == "":
			wrong("name", "is empty; write the department as the till calls it")
		case twice:
			wrong("name", fmt.Sprintf("%q stands in /value/%d already", d.Name, n))
		default:
			at[d.Name] = i
		}
		if d.Category != "" && d.Value == "" {
			wrong("value", "is empty; write the category's value, or leave both out")
		}
	}
	return faults
}

// Import reads the till's statistic groups. What it knew before and no longer knows stays, marked stale, so that a map that
// names it can be mended.
func (s *Service) Import(ctx context.Context, by access.Principal) error {
	if s.c.Groups == nil {
		return ErrNoImport
	}
	list, err := s.c.Groups(ctx)
	if err != nil {
		return fmt.Errorf("read the till's statistic groups: %w", err)
	}
	before, err := s.imports(ctx)
	if err != nil {
		return err
	}
	now := imported{At: s.c.Now().UTC().Truncate(time.Second), Groups: merge(before.Groups, list)}
	if len(list) == 0 {
		return ErrEmpty
	}
	value, err := json.Marshal(now)
	if err != nil {
		return err
	}
	return s.c.Journal.Write(ctx, func(tx *journal.Tx) error {
		if err := tx.SetSetting(keyGroups, value, by.Name); err != nil {
			return err
		}
		return access.Record(tx, by, "departments_import", keyGroups, fmt.Sprintf("%d statistic groups", len(list)))
	})
}

// merge is what the till has now, then what it had before.
func merge(before, now []Group) []Group {
	var all []Group
	known := map[Group]bool{}
	for _, stale := range []bool{false, true} {
		list := now
		if stale {
			list = before
		}
		for _, g := range list {
			g = Group{Category: normal(g.Category), Value: normal(g.Value)}
			if g.Value == "" || known[g] || len(all) == maxGroups {
				continue
			}
			known[g] = true
			g.Stale = stale
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b Group) int {
		if c := strings.Compare(a.Category, b.Category); c != 0 {
			return c
		}
		return strings.Compare(a.Value, b.Value)
	})
	return all
}
