package booking

import "slices"

// Status says where a reservation stands (spec/reservations.md 2).
type Status string

// The statuses, in the order of an evening.
const (
	OnHold           Status = "on_hold" // asked for, not confirmed
	Scheduled        Status = "scheduled"
	PartiallyArrived Status = "partially_arrived"
	Arrived          Status = "arrived"
	PartiallySeated  Status = "partially_seated"
	Seated           Status = "seated"
	Departed         Status = "departed"
	Cancelled        Status = "cancelled"
	NoShow           Status = "no_show"
	Failed           Status = "error" // at the platform
)

// Statuses lists all of them, in that order.
func Statuses() []Status {
	return []Status{OnHold, Scheduled, PartiallyArrived, Arrived, PartiallySeated, Seated, Departed, Cancelled, NoShow, Failed}
}

// Valid tells whether s is one of them.
func (s Status) Valid() bool { return slices.Contains(Statuses(), s) }

// Over tells that nobody of the party is expected or here any more.
func (s Status) Over() bool { return s == Departed || s == Cancelled || s == NoShow }

// Stage says how far the meal of a seated party has come (spec/reservations.md 3).
type Stage string

// The stages, lowest first.
const (
	AtTable      Stage = "seated"
	Drinks       Stage = "drinks"
	Appetizer    Stage = "appetizer"
	Entree       Stage = "entree"
	Dessert      Stage = "dessert"
	Cleared      Stage = "cleared"
	CheckDropped Stage = "check_dropped"
	Paid         Stage = "paid"
	Bussing      Stage = "bussing"
	Finished     Stage = "finished"
)

// Stages lists all of them, lowest first.
func Stages() []Stage {
	return []Stage{AtTable, Drinks, Appetizer, Entree, Dessert, Cleared, CheckDropped, Paid, Bussing, Finished}
}

// Rank is the priority of a stage: 10 for seated to 100 for finished, 0 for what is none.
func (s Stage) Rank() int { return 10 * (slices.Index(Stages(), s) + 1) }

// Course tells whether s is brought about by what was ordered.
func (s Stage) Course() bool { return s.Rank() >= Drinks.Rank() && s.Rank() <= Dessert.Rank() }

// Nearest is s if have holds it, else the nearest lower stage that have holds; "" when there is none.
func (s Stage) Nearest(have []Stage) Stage {
	var best Stage
	for _, h := range have {
		if r := h.Rank(); r <= s.Rank() && r > best.Rank() {
			best = h
		}
	}
	return best
}
