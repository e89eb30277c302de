// Package privilege says what an operator may do with the tills of a Bepoz house. Bepoz has four rights for it in its operator
// maintenance (spec/pos.md 4); who works through the box instead of a SmartPOS workstation needs the same ones.
//
//	operate_tills           the booking list of a till: look, open
//	access_stores_tills     see which tills there are and how their queues stand
//	maintain_stores_tills   change which tills checks are opened at, and these rights
//	maintain_function_maps  change which screens of a till have the buttons for deposits and reservations
//
// Roles have rights, and a person can be given others by name. An admin has all of them: somebody has to be able to give them back.
package privilege
