// Package report adds up what the journal remembers: how long each station took half-hour by half-hour, what came from
// each source and how it ended, and a line for each business day.
//
// Nothing is counted while orders come in. A report reads the rows of its days by their key, which begins with the time,
// so it needs no index of its own; it reads in pages, so that no reader holds the journal's log for long, and one report at
// a time, so that several people who ask keep one processor busy. Days are business days on the venue's wall clock: the
// night that gains or loses an hour is one half-hour pair longer or shorter.
package report
