// Package opera is the hotel's end of the line as a program: IFC8 with a hotel behind it, in FIAS and in XML_POS, on TCP
// and on a serial line.
//
//	vendor -> wire -> ifc.Stream or ifc.Line -> fiasLink or xmlLink -> faults -> Hotel
//	          bytes   frames                    hand-shake, records              rooms, folios, ledger
//
// A Hotel has rooms with guests and sharers, paymasters, accounts, limits and no-posts; it books by the rules of OPERA and
// keeps every posting in its ledger. A Simulator is the interface before it: each Serve is a port where one vendor
// connects, and what happens at the front desk (CheckIn, Move, CheckOut, StartAudit) is told to all of them. Each request
// becomes an Exchange with the answer decided and the fate of that answer, so that a test can hold a vendor's account
// against what was booked and against what could be known.
//
// Faults come by Inject, over HTTP (Control), by Config.Choose for one request, or are given at the start: answers lost,
// late, twice, under a wrong number; links cut at a byte; records torn, glued, reordered; LS, LE, NS in the middle; a
// serial line with damaged bytes. What a vendor does against the rules is noted as a Remark and, where a real IFC8 would
// bear it, borne.
//
// Rules come from docs/spec/fias.md; its section 12 is the list of what is simulated. Where that text leaves something
// open, the choice is a field of Config or of File: a guest posting without an inquiry gets no answer (AnswerUninquired),
// a total below zero is booked (NoNegative), a repeated P# is booked again (RefuseRepeats).
package opera
