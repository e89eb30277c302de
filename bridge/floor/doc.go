// Package floor is the built-in POS: tables, and the checks that are open on them. It takes lines and payments, prints no
// paper and cooks nothing. A till that is not ours tells the same service what happens at its checks.
//
// A check is the sum of its events (opened, line added, moved, split, bill printed, payment, closed, reopened …), kept beside
// the state they led to. Whoever follows the checks ([Config.Follow]) hears of each step within its transaction, so that what
// follows from a step, a table status for a reservation platform, is on disk with it or not at all.
//
// A payment by a room is a charge at the hotel: it is on the check as pending in the same transaction that records the charge,
// and becomes paid in the one that records the hotel's answer, so that neither is ever without the other. What a closed check
// sold goes to the hotel's books in the transaction that closes it.
//
// Words: balance, what is not paid of the lines; tip, money above it; group, the statistic or accounting group of a line; a
// check that was merged lives on in another, one that is cancelled never had anything on it.
package floor
