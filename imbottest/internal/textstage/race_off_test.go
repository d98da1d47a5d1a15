//go:build !race

package textstage

// seeded is how many texts the seeded tests make.
const seeded = 20_000
