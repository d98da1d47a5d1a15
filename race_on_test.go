//go:build race

package imbot_test

const raceDetector = true
