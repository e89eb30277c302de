// Package booking is what the reservation platforms have in common: a reservation with its status and its tables, the
// stages of a meal, what a platform is told of a check, and the interface that the client of each platform has. It holds
// values and speaks with nobody.
//
// Words: a status says where a reservation stands (scheduled, arrived, seated …), a stage how far the meal of a seated party
// has come (starters, mains, bill …); a word is how a platform spells either on the wire; an update is one thing a platform
// is told, under a request id that stays the same in every repetition. Statuses, stages and the rules around them are those
// of spec/reservations.md 2, 3 and 8.
package booking
