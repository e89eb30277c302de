// Package kitchen turns orders into tickets: which station cooks what, what its printers print and its screens show,
// and how far each ticket came.
//
// A plan is a pure function of order and configuration, made before the journal's transaction and written within it.
// If a ticket's printer is idle and well, that same transaction records the sending, so that bytes leave right after
// the commit; otherwise the job waits in the journal and the printer fetches it.
//
//	order -> Plan -> tickets, jobs -> journal -> Board -> screens
//	                                        \--> Queue -> printer
//
// The Board is the open tickets in memory, rebuilt from the journal at start and kept by its change feed; a Queue is the
// ledger of one printer (printer.Ledger). The rules are design.md "Print jobs", "Orders" and spec/escpos.md 10.
package kitchen
