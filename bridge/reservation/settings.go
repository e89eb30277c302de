package reservation

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aboyeur/bridge/api"
	"aboyeur/bridge/reservation/stage"
	"aboyeur/protocol/booking"
)

// Bounds of settings.
const (
	maxName      = 100 // characters of a till, a user, a table, a group
	maxList      = 100 // entries of a list
	maxGroups    = 500
	maxRetention = 3650 // days
	maxWindow    = 240  // minutes

	// DefaultRetention is how many days a guest is remembered after the reservation.
	DefaultRetention = 30

	// A check that staff opened so long before or after the party sat down may be the party's: the one window that a vendor
	// has published (spec/reservations.md 4).
	DefaultMatchBefore = 20 // minutes
	DefaultMatchAfter  = 25
)

// Settings are what a venue wants of one platform (spec/reservations.md 9).
type Settings struct {
	OpenChecks            bool              `json:"open_checks" doc:"a seated party opens a check"`
	WalkIns               bool              `json:"walk_ins" doc:"so does a walk-in; needs open_checks"`
	MultiTable            bool              `json:"multi_table" doc:"the check stands on all tables of the reservation; else on the first"`
	DefaultProfile        bool              `json:"default_profile" doc:"the till's own order profile; excludes order_profile"`
	OrderProfile          string            `json:"order_profile"`
	Staff                 string            `json:"staff" doc:"the till's user who opens the checks; empty: nobody in particular"`
	Tills                 []string          `json:"tills" doc:"tills that checks are opened at, the first that is online; empty: the first active one"`
	Courses               []stage.Course    `json:"courses" doc:"which statistic groups bring a table to which stage"`
	CourseNumbers         bool              `json:"course_numbers" doc:"a line without a mapped group counts by its course number"`
	RelayCheckData        bool              `json:"relay_check_data" doc:"items and totals are told, where the platform takes them"`
	OpenOnPartiallySeated bool              `json:"open_on_partially_seated"`
	RegressAfterBill      bool              `json:"regress_after_bill" doc:"a course ordered after the bill takes the table back to it"`
	MatchBefore           int               `json:"match_before_minutes" minimum:"0" maximum:"240" doc:"a check that staff opened so long before the party sat down may be its"`
	MatchAfter            int               `json:"match_after_minutes" minimum:"0" maximum:"240" doc:"and so long after"`
	PayByDeposit          Button            `json:"pay_by_deposit"`
	ManageReservations    Button            `json:"manage_reservations"`
	GuestRetentionDays    int               `json:"guest_retention_days" minimum:"1" maximum:"3650"`
	Aliases               map[string]string `json:"aliases" doc:"a table's name at the platform to its name on the floor, where they differ on purpose"`
}

// Button is a function on the till's screens.
type Button struct {
	On         bool     `json:"on"`
	AllMenus   bool     `json:"all_menus,omitzero"`
	Placements []string `json:"placements,omitzero" doc:"main screens that show it, each once"`
}

// Defaults are the settings of a platform nobody has set up.
func Defaults() Settings {
	return Settings{OpenChecks: true, MultiTable: true, DefaultProfile: true, RelayCheckData: true, GuestRetentionDays: DefaultRetention,
		MatchBefore: DefaultMatchBefore, MatchAfter: DefaultMatchAfter}
}

// complete brings two ways to write the same settings into one.
func (s *Settings) complete() {
	s.Tills, s.Courses = orNone(s.Tills), orNone(s.Courses)
	for i := range s.Courses {
		for j := range s.Courses[i].Groups {
			g := &s.Courses[i].Groups[j]
			g.Category, g.Value = stage.Normal(g.Category), stage.Normal(g.Value)
		}
		s.Courses[i].Groups = orNone(s.Courses[i].Groups)
	}
	slices.SortStableFunc(s.Courses, func(a, b stage.Course) int { return a.Stage.Rank() - b.Stage.Rank() })
	if s.Aliases == nil {
		s.Aliases = map[string]string{}
	}
	for _, b := range []*Button{&s.PayByDeposit, &s.ManageReservations} {
		// Adding a button twice to a screen makes one button (RES-10).
		var once []string
		for _, p := range b.Placements {
			if !slices.Contains(once, p) {
				once = append(once, p)
			}
		}
		b.Placements = once
	}
}

// check finds what is wrong with settings.
func (s *Settings) check() []api.Fault {
	var faults []api.Fault
	wrong := func(pointer, detail string) { faults = append(faults, api.Fault{Pointer: pointer, Detail: detail}) }
	text := func(pointer, value string, required bool) {
		switch {
		case required && strings.TrimSpace(value) == "":
			wrong(pointer, "is empty")
		case utf8.RuneCountInString(value) > maxName:
			wrong(pointer, fmt.Sprintf("is longer than %d characters", maxName))
		}
	}
	if s.WalkIns && !s.OpenChecks {
		wrong("/walk_ins", "walk-ins cannot open checks while open_checks is false; write false, or turn open_checks on")
	}
	if s.DefaultProfile && s.OrderProfile != "" {
		wrong("/order_profile", "excludes default_profile; leave one of them out")
	}
	text("/order_profile", s.OrderProfile, false)
	text("/staff", s.Staff, false)
	if len(s.Tills) > maxList {
		wrong("/tills", fmt.Sprintf("has more than %d entries", maxList))
	}
	for i, t := range s.Tills {
		text(fmt.Sprintf("/tills/%d", i), t, true)
	}
	for _, w := range []struct {
		pointer string
		minutes int
	}{{"/match_before_minutes", s.MatchBefore}, {"/match_after_minutes", s.MatchAfter}} {
		if w.minutes < 0 || w.minutes > maxWindow {
			wrong(w.pointer, fmt.Sprintf("is not a number from 0 to %d", maxWindow))
		}
	}
	if s.GuestRetentionDays < 1 || s.GuestRetentionDays > maxRetention {
		wrong("/guest_retention_days", fmt.Sprintf("is not a number from 1 to %d", maxRetention))
	}
	if len(s.Aliases) > maxGroups {
		wrong("/aliases", fmt.Sprintf("has more than %d entries", maxGroups))
	}
	for from, to := range s.Aliases {
		text("/aliases", from, true)
		text("/aliases", to, true)
	}
	for name, b := range map[string]*Button{"/pay_by_deposit": &s.PayByDeposit, "/manage_reservations": &s.ManageReservations} {
		if len(b.Placements) > maxList {
			wrong(name+"/placements", fmt.Sprintf("has more than %d entries", maxList))
		}
		for i, p := range b.Placements {
			text(fmt.Sprintf("%s/placements/%d", name, i), p, true)
		}
	}
	return append(faults, s.checkCourses()...)
}

// checkCourses sees to it that a group stands for one stage (OT-29).
func (s *Settings) checkCourses() []api.Fault {
	var faults []api.Fault
	wrong := func(pointer, detail string) { faults = append(faults, api.Fault{Pointer: pointer, Detail: detail}) }
	stages, groups := map[booking.Stage]int{}, map[string]int{}
	for i, c := range s.Courses {
		at := fmt.Sprintf("/courses/%d", i)
		if !c.Stage.Course() {
			wrong(at+"/status", "is none of drinks, appetizer, entree, dessert")
		} else if n, ok := stages[c.Stage]; ok {
			wrong(at+"/status", fmt.Sprintf("stands in /courses/%d already; put all its groups there", n))
		}
		stages[c.Stage] = i
		if len(c.Groups) > maxGroups {
			wrong(at+"/groups", fmt.Sprintf("has more than %d entries", maxGroups))
			continue
		}
		for j, g := range c.Groups {
			pointer := fmt.Sprintf("%s/groups/%d", at, j)
			value := stage.Normal(g.Value)
			n, ok := groups[value]
			switch {
			case value == "":
				wrong(pointer, "is empty")
			case utf8.RuneCountInString(value) > maxName || utf8.RuneCountInString(g.Category) > maxName:
				wrong(pointer, fmt.Sprintf("is longer than %d characters", maxName))
			case ok && n != i:
				wrong(pointer, fmt.Sprintf("%q stands in /courses/%d already; keep it at one course", value, n))
			case ok:
				wrong(pointer, fmt.Sprintf("%q stands here twice", value))
			default:
				groups[value] = i
			}
		}
	}
	return faults
}

// rules are what the settings make of a meal for a platform that knows these stages.
func (s *Settings) rules(have []booking.Stage) stage.Rules {
	if have == nil {
		have = []booking.Stage{}
	}
	return stage.Rules{Courses: s.Courses, Numbers: s.CourseNumbers, Regress: s.RegressAfterBill, Have: have}
}

// floor is the floor's name of a platform's table, and whether an alias gave it.
func (s *Settings) floor(table string) (string, bool) {
	name, ok := s.Aliases[table]
	if !ok {
		name = table
	}
	return name, ok
}

// theirs is the platform's name of a table of the floor.
func (s *Settings) theirs(tables []string) []string {
	list := make([]string, len(tables))
	for i, t := range tables {
		list[i] = t
		for alias, name := range s.Aliases {
			if name == t {
				list[i] = alias
			}
		}
	}
	return list
}

// within tells whether a check was opened when the party could have come.
func (s *Settings) within(opened, seated time.Time) bool {
	before, after := time.Duration(s.MatchBefore)*time.Minute, time.Duration(s.MatchAfter)*time.Minute
	return !opened.Before(seated.Add(-before)) && !opened.After(seated.Add(after))
}

func orNone[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
