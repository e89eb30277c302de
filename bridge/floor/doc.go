// Package floor is the built-in POS: tables, and the checks that are open on them. It takes lines and payments, prints no
// paper and cooks nothing.
//
// A check is the sum of its events (opened, line added, bill printed, payment, closed, reopened), kept beside the state
// they led to. A payment by a room is a charge at the hotel: it is on the check as pending in the same transaction that
// records the charge, and becomes paid in the one that records the hotel's answer, so that neither is ever without the
// other. What a closed check sold goes to the hotel's books in the transaction that closes it.
//
// Words: balance, what is not paid of the lines; tip, money above it; group, the statistic or accounting group of a line.
package floor
