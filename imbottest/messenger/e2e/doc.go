// Package e2e drives the messenger in a real browser. It is a module of its own,
// so that nobody who uses imbot gets a browser's protocol among his dependencies.
//
// Its tests look for chromium, chromium-browser or google-chrome in PATH. Where
// there is none they are skipped, unless CI is "true": then they fail.
package e2e
