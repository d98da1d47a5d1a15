//go:build race

package textstage

// seeded is how many texts the seeded tests make: the race detector, for which there
// is nothing here, takes fifteen times as long.
const seeded = 1_000
