//go:build !race

package folio

const raceDetector = false
