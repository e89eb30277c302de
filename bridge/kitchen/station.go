package kitchen

import (
	"fmt"
	"strings"
	"time"

	"aboyeur/bridge/sale"
)

// Station is a place that cooks: what comes to it, and where that is printed and shown.
type Station struct {
	Name       string
	Printers   []string
	Screens    []string
	Categories []string
	SKUs       []string
	Courses    []int
	Copies     int // of each ticket on each printer; 0 means 1
	Buzz       int // times its printers buzz at each ticket; 0: as they do anyway
	WarnAfter  time.Duration
	LateAfter  time.Duration
	Limits     Limits        // where they differ by service
	Fire       string        // when courses after the first are cooked: FireAtOnce (also ""), FireWaiter, FirePrevious, FireAfter
	FireAfter  time.Duration // between two courses, with FireAfter
	Prep       time.Duration // what its dishes take; 0: not paced
	Default    bool          // takes what no other station claims
	ByPOS      bool          // the POS prints what it got; the box what it did not get, and every change of it
}

// When a station cooks the courses after the first. A waiter can fire any of them before.
const (
	FireAtOnce   = "at_once"
	FireWaiter   = "waiter"
	FirePrevious = "previous"
	FireAfter    = "after"
)

// Limits are ages by service; a zero Limit is the station's own.
type Limits struct{ DineIn, Delivery, Pickup Limit }

// A Limit is the age of a ticket at which it is soon late, and late.
type Limit struct{ WarnAfter, LateAfter time.Duration }

// limit gives the ages for a service in seconds.
func (s *Station) limit(service string) (warn, late int) {
	l := Limit{}
	switch service {
	case sale.DineIn:
		l = s.Limits.DineIn
	case sale.Delivery:
		l = s.Limits.Delivery
	case sale.Pickup:
		l = s.Limits.Pickup
	}
	if l.LateAfter == 0 {
		l = Limit{s.WarnAfter, s.LateAfter}
	}
	return int(l.WarnAfter.Seconds()), int(l.LateAfter.Seconds())
}

// routes says where a line is cooked. Every line ends somewhere: there is always a default.
type routes struct {
	bySKU, byCategory map[string]int
	byCourse          map[int]int
	fallback          int
}

func newRoutes(stations []Station) (routes, error) {
	r := routes{bySKU: map[string]int{}, byCategory: map[string]int{}, byCourse: map[int]int{}, fallback: -1}
	for i, s := range stations {
		for _, sku := range s.SKUs {
			r.bySKU[sku] = i
		}
		for _, category := range s.Categories {
			r.byCategory[strings.ToLower(category)] = i
		}
		for _, course := range s.Courses {
			r.byCourse[course] = i
		}
		if s.Default {
			r.fallback = i
		}
		if len(s.Printers) == 0 && len(s.Screens) == 0 {
			return r, fmt.Errorf("station %s has neither printer nor screen; its tickets would reach nobody", s.Name)
		}
	}
	if r.fallback < 0 {
		return r, fmt.Errorf("no station is the default; write default: true at the one that takes what no other claims")
	}
	return r, nil
}

// of gives the line's station: by SKU, else category, else course, else the default; claimed is false for the last.
func (r *routes) of(l *sale.Line) (station int, claimed bool) {
	if l.SKU != "" {
		if i, ok := r.bySKU[l.SKU]; ok {
			return i, true
		}
	}
	if l.Category != "" {
		if i, ok := r.byCategory[l.Category]; ok {
			return i, true
		}
		if i, ok := r.byCategory[strings.ToLower(l.Category)]; ok {
			return i, true
		}
	}
	if i, ok := r.byCourse[l.Course]; ok {
		return i, true
	}
	return r.fallback, false
}
