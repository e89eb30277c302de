//go:build race

package folio

// raceDetector makes SQLite ten times slower: the long test draws less.
const raceDetector = true
