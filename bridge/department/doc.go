// Package department keeps what the departments of the card mean to reservation platforms. A department ("Vins", "Alcoholic
// drinks") is given a statistic category and one of its values; the value is what courses are mapped by, so that a glass of
// wine and a starter bring a table to different stages (spec/pos.md 5).
//
//	till ──import──> groups   pairs that the till knows; one that it knows no more stays, marked stale
//	console ───────> departments   a department's pair, kept by hand; as a whole or not at all
//	line of a check ──Value──> the pair's value
//
// A till with statistic groups of its own sends the value with each line; a department that was given one here goes before it.
package department
