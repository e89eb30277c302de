// Package journal is the box's memory: one SQLite file in which every promise of the house is kept. What Write
// acknowledged is on disk, whole, and every reader hears of it in one order.
//
// Callers hand functions to one writer goroutine ([Journal.Run]). It takes whatever has gathered while the last commit
// ran, gives each function a savepoint of its own inside one transaction, commits, and lets them all return after the one
// sync of the log:
//
//	Write ─┐                       ┌ savepoint, fn, release ┐
//	Write ─┼─> queue ─> BEGIN ─────┤ savepoint, fn, undo    ├─> COMMIT, fsync ─> After hooks ─> callers wake ─> Watch
//	Later ─┘    (order kept)       └ savepoint, fn, release ┘
//
// Inside its savepoint a function may add rows to the change feed ([Tx.Change]): each gets the next number, without gaps,
// in the same commit as the facts it tells of. Screens, queues and relays live from that feed; after a crash they are
// rebuilt from the tables and go on from their number. A random epoch, made with the file, tells a restored or cloned card
// from the one a reader knew.
//
// Words: a change is one row of the feed; the horizon is the oldest change still kept; a batch is what shares one commit;
// a key is the number inside an [ID] by which rows are stored (column key INTEGER PRIMARY KEY of any table: that name is
// what tells the journal where the greatest key is); a setting is a value people change in the console; a notice is what
// the journal has to tell a person about its own file.
//
// The file is journal.db in Config.Dir, in WAL mode with synchronous=FULL, next to journal.lock, which a second process is
// refused by. Tables come from numbered files in migrations, never edited after release. Times in tables are microseconds
// since 1970 UTC; a time.Time given to a statement becomes that number.
package journal
