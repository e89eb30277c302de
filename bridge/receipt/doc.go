// Package receipt lays out bills and receipts for the printer of a till. What stands on them, and in which words, is a
// Template: a list of blocks that the configuration holds as data. Bill and Receipt are the ones to begin with, in English
// and French.
//
//	Paper (a check's figures) + Template + Logo -> Layout -> bytes for the printer, or a picture
//
// A Desk prints those of checks: it keeps each paper as it was first printed, counts its copies, and hands the bytes to the
// printer's queue in the same transaction.
//
// A block is a line, two columns, a rule, the logo, a QR code or a bar code. Its text has fields in braces, {total}; with
// Each it comes once for each line, tax or payment; with When only where that field has something to say. A copy of what
// was printed before says so: a template without a block for that is refused, since French law asks for DUPLICATA
// (spec/escpos.md 10.10).
package receipt
