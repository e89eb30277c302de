//go:build !race

package pos

const raceDetector = false
