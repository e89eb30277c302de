// Package menu keeps delivery menus and the POS together: what the POS sells goes out to the aggregators, and what they order
// is found again in the POS (spec/delivery.md 6).
//
//	POS ──> Catalogue ──> card ──(fields, guard)──> staged ──(edits, sold out)──> published ──> aggregator
//	                        │                                                        │
//	                        └──> Index <── links <── entities ids of the aggregator ─┘
//	                               │
//	                  lines of an order ──> Resolve ──> what the POS knows, or names that nothing was found for
//
// Words: the catalogue is what the POS sells, as its adapter read it last. A menu is what one aggregator shows; its entities
// are categories, items, groups and modifiers, whose ids are the POS's with a letter for the kind and never made of names. The
// staged menu is what the aggregator should have: a run of the update takes the fields over that the menu's settings name. An
// edit is what a person changed on top; the remote menu is what the aggregator is known to show. A link says which thing of the
// POS an entity stands for. An order is resolved by ids and links only, and by an exact name where a venue asks for it: a wrong
// item is never put in the place of one that is not known.
//
// Menus are large and changed seldom: they lie in the journal as compressed documents, in parts so that no order waits for
// them, and are read when somebody asks. Only the Index stays in memory; it is replaced as a whole and never changed.
package menu
