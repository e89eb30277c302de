// Package fias is FIAS, the language in which a till charges hotel rooms through Oracle's OPERA interface (IFC8): records of
// two-character fields between bars, over the frames of package ifc. Both ends are here, the vendor's (a till, this box)
// and IFC8's, which a simulator is made of.
//
//	LS|DA250301|TI120000|      a record: its Tag, fields, each a Tag and its value
//
// Parse makes a Record, a view over the bytes of a frame without any copy. The typed records (LinkDescription, Inquiry,
// PostingRequest, PostingList, PostingAnswer, PostingSimple, GuestRecord, Moment, …) are made of it by their Decode and
// written by Marshal, with a Codec that knows the encoding and the time zone of the link. What has no type of its own is
// read by Tag from the Record and written with an Encoder; the dictionary (FieldOf) knows every field's type and limit.
//
// A Link is the vendor's side of one connection: it describes itself whenever the hotel asks, keeps alive, and carries
// inquiries and postings to their answers by number (P#). A Host is the hotel's side of the same hand-shake, as a function
// without I/O.
//
//	Link:  connect -> LS? -> LD LR… LA -> LA? -> alive: Inquire, Post, PostSimple, Resync -> LE
//
// FIAS has no duplicate detection. Nothing here sends a posting twice, and every error of one tells whether the hotel may
// have booked it: errors.Is(err, ifc.ErrNotSent) is certain, everything else is not.
//
// Rules come from docs/spec/fias.md; its sections are cited as "fias.md 6.3".
package fias
