// Package order takes orders and keeps what became of them: the number, the version, the state and whether the POS has
// it (design.md "Orders"). An order is answered after the journal has it together with all the kitchen needs
// (promise P1), and the same order delivered again is the same order (P2).
//
// The kitchen, and later the POS, meet it through the interfaces of this package.
package order
