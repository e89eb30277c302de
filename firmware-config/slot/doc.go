// Package slot keeps two configurations of a box and switches between them in one step.
//
// The folder of a [Store] holds two slots, a and b. One is in force; a bundle is laid into the other, every file and folder
// synced, and comes into force by the renaming of one small file, state.json. Whatever happens at whatever moment, a start
// finds one complete configuration:
//
//	Apply    verify ─> lay into the idle slot, sync ─> state.json: on trial, the highest number risen ── the switch
//	Start    on trial: count the start ─> verify the slot's files ─> run on it
//	Confirm  healthy: the trial is over, keys that came with the bundle count
//	Return   not healthy in time, or not up in three starts: state.json names the former slot, and why
//
// The highest number of a site survives a return, so what was bad once is not applied again by the same stick. A file of a
// slot that is no longer what was laid (a worn card) makes Start take the other slot and say so.
//
// Two programs use a Store at once, the service and the one that a stick or a cable started; a lock file keeps their steps
// apart. Trusted keys come from the folder of the image or package, and from bundles that were confirmed.
package slot
