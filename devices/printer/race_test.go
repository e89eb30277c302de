//go:build race

package printer

const raceDetector = true
