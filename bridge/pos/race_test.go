//go:build race

package pos

// raceDetector makes the opening of a journal slow: the box goes down less often.
const raceDetector = true
