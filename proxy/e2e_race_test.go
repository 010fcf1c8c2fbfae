//go:build race

package proxy

// raceDetector: memory and times are not what they are without.
const raceDetector = true
