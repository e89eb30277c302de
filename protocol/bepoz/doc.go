// Package bepoz is how a Bepoz till and the box speak (spec/pos.md 4). Bepoz has no public interface: what stands here is ours,
// for a thin till extension on a SmartPOS workstation, and says the same over HTTP and over lines of text.
//
//	queue    what happened at the till: numbered without gaps, kept by the till until it is acknowledged, taken once
//	list     the bookings, with the filters of the till function Table Open Booking List; a booking's details; open
//
// On a line the fields are parted by tabs, a line ends with LF, and texts have neither:
//
//	HELLO till version rights secret OK last                the last number that the box has
//	EVT seq table check event at {}  ACK seq | RESEND from  from is the first number that is missing
//	LIST item sub search             ROW … , END rows age   age of the list in seconds
//	SHOW reference                   ROW … | ERR code text
//	OPEN reference                   OK check table | ERR code text
//
// Graphical table bookings and the booking grid are not supported: GRID answers ERR not_supported.
package bepoz
