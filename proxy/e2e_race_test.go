//go:build race

package proxy

// raceDetector: memory is not what it is without.
const raceDetector = true
