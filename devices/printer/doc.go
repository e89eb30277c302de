// Package printer drives one ESC/POS printer: it prints, proves that it printed, and says plainly when it cannot know.
// The rules are docs/spec/escpos.md 10 and "Print jobs" of the design.
//
// # Words
//
// A job is one ticket. An attempt is one sending of it, recorded by the Ledger before its first byte leaves. Around the
// job's body the driver puts an envelope; what the printer answers to it is the evidence:
//
//	init [banner] body [banner] END 0142 | token P | cut | token C
//	                                        printed         done
//
// Printers without GS ( H get one GS r 1 behind the cut, and when that is answered another: such an answer bears no name, and
// one alone may be noise (evidence fence). Printers that answer nothing are paced by their printing time (evidence none). A
// bare token at each connect finds out which it is.
//
// # Two ways in
//
// While the printer is idle and well and reports its status by itself, Claim reserves it inside the transaction that
// takes an order, and Handover after the commit sends at once. Everything else goes through Ledger.Next. Claim is refused
// while a job is in hand or anything may be queued, so order is kept.
//
// # What is certain
//
// Bytes that went into a link which then broke may be on paper, in part or whole. Such a job is unknown until one of
// these resolves it:
//
//   - Its own token comes late, over the next connection. Always believed, even after a person was asked, and it cancels
//     a reprint that has not begun.
//   - A bare fence is answered on the very connection that took all its bytes, without a power-off notice, a clear or a
//     resynchronisation in between and with the status frame that the envelope's own GS a provokes: a connection that
//     lives has seen no power cycle, so what stood before the fence was processed. Should only the job's own echoes be
//     missing then, they were lost on the way. Not over a serial line, which stays when the printer's power goes.
//   - With Config.TrustCutCounter: the maintenance counter of cuts stands exactly one higher than before this ticket, and
//     it was seen to count this printer's tickets one by one before.
//
// A bare fence on a new connection proves nothing, because a printer that was switched off answers it at once with the
// ticket gone: TCP cannot tell a pulled cable from a power cut, nor does a reset or an end of stream say which it was. It
// is asked all the same, because late tokens come before its answer and because a reprint should not overtake what the
// printer still has in its memory. The cut counter is off by default: nobody has measured that it survives (spec 10.9),
// and a self-test at power-on cuts as well.
//
// What stays unknown goes out once more under a banner when the job's policy says so (Job.Reprint), else it waits for a
// person; there is no third attempt. Paper out or an open cover in the middle is not unknown but waiting: the printer
// finishes from its own memory and nothing is sent.
package printer
