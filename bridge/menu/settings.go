package menu

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"aboyeur/bridge/api"
)

// Fields that an update can take over from the POS (spec/delivery.md 6.2, OTR-41).
const (
	FieldName         = "name"
	FieldPrice        = "price"
	FieldDescription  = "description" // allergens and the like among it
	FieldPhoto        = "photo"
	FieldAvailability = "availability"
	FieldHours        = "hours"
	FieldTaxes        = "taxes"
	FieldModifiers    = "modifiers" // which groups go with an item, and their rules
	FieldNew          = "new_items" // what is new in the POS comes to the menu
	FieldRemoved      = "removed_items"
	FieldOrganisation = "organisation" // which items are in which category, in which order
)

// Fields lists them.
func Fields() []string {
	return []string{FieldName, FieldPrice, FieldDescription, FieldPhoto, FieldAvailability, FieldHours, FieldTaxes, FieldModifiers, FieldNew, FieldRemoved, FieldOrganisation}
}

// Bounds of settings.
const (
	minEvery = 15 * time.Minute
	maxEvery = 7 * 24 * time.Hour
	maxParts = 20
	maxNames = 100 // characters of a name
	maxList  = 500
)

// Settings are what a venue wants of one menu.
type Settings struct {
	Name         string   `json:"name" doc:"as people call the menu"`
	AutoUpdate   bool     `json:"auto_update" doc:"take changes from the POS by itself"`
	AutoPublish  bool     `json:"auto_publish" doc:"publish them by itself; needs auto_update"`
	EveryMinutes int      `json:"every_minutes" minimum:"15" maximum:"10080" doc:"between two updates; 360 is the usual"`
	Fields       []string `json:"fields" doc:"what an update takes over: name, price, description, photo, availability, hours, taxes, modifiers, new_items, removed_items, organisation"`
	MatchByName  bool     `json:"match_by_name" doc:"an ordered item without a link is found by its exact name within its category"`
	Parts        []Part   `json:"parts" doc:"menus that guests see, as lunch and dinner; none: one with everything"`
}

// Part is one of the menus that guests see.
type Part struct {
	ID         string   `json:"id" doc:"stays when the name changes"`
	Name       string   `json:"name"`
	Categories []string `json:"categories" doc:"ids of the POS's categories; none: all"`
	Services   []string `json:"services" doc:"delivery, pickup, dine_in; none: all"`
}

// Defaults are the settings of a menu nobody has set up: the POS has won, and nothing is published unasked.
func Defaults() Settings {
	return Settings{AutoUpdate: true, EveryMinutes: 360, Fields: []string{FieldName, FieldPrice, FieldDescription, FieldPhoto, FieldAvailability, FieldModifiers, FieldNew, FieldRemoved, FieldOrganisation}}
}

func (s *Settings) every() time.Duration { return time.Duration(s.EveryMinutes) * time.Minute }

func (s *Settings) takes(field string) bool { return slices.Contains(s.Fields, field) }

// complete brings two ways to write the same settings into one.
func (s *Settings) complete() {
	var once []string
	for _, f := range Fields() {
		if slices.Contains(s.Fields, f) {
			once = append(once, f)
		}
	}
	s.Fields, s.Parts = orEmpty(once), orEmpty(s.Parts)
	for i := range s.Parts {
		s.Parts[i].Categories, s.Parts[i].Services = orEmpty(s.Parts[i].Categories), orEmpty(s.Parts[i].Services)
	}
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// check finds what is wrong with settings.
func (s *Settings) check() []api.Fault {
	var faults []api.Fault
	wrong := func(pointer, detail string, args ...any) {
		faults = append(faults, api.Fault{Pointer: pointer, Detail: fmt.Sprintf(detail, args...)})
	}
	name := func(pointer, v string) {
		switch {
		case strings.TrimSpace(v) == "":
			wrong(pointer, "is empty")
		case utf8.RuneCountInString(v) > maxNames:
			wrong(pointer, "is longer than %d characters", maxNames)
		}
	}
	name("/name", s.Name)
	if s.AutoPublish && !s.AutoUpdate {
		wrong("/auto_publish", "nothing is published by itself while auto_update is false; write false, or turn auto_update on")
	}
	if e := s.every(); e < minEvery || e > maxEvery {
		wrong("/every_minutes", "is not from 15 to 10080, a quarter of an hour to a week")
	}
	for i, f := range s.Fields {
		if !slices.Contains(Fields(), f) {
			wrong(fmt.Sprintf("/fields/%d", i), "is none of %s", strings.Join(Fields(), ", "))
		}
	}
	if len(s.Parts) > maxParts {
		wrong("/parts", "has more than %d entries", maxParts)
		return faults
	}
	ids := map[string]bool{}
	for i, p := range s.Parts {
		at := fmt.Sprintf("/parts/%d", i)
		name(at+"/name", p.Name)
		name(at+"/id", p.ID)
		if ids[p.ID] {
			wrong(at+"/id", "stands here twice; give each menu its own")
		}
		ids[p.ID] = true
		if len(p.Categories) > maxList {
			wrong(at+"/categories", "has more than %d entries", maxList)
		}
		for j, v := range p.Services {
			if v != "delivery" && v != "pickup" && v != "dine_in" {
				wrong(fmt.Sprintf("%s/services/%d", at, j), "is none of delivery, pickup, dine_in")
			}
		}
	}
	return faults
}
