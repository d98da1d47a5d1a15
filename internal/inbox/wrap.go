package inbox

import "slices"

// Wrap returns f within wrappers, of which the first is the outermost.
func Wrap[F any](f F, wrappers []func(F) F) F {
	for _, wrap := range slices.Backward(wrappers) {
		f = wrap(f)
	}
	return f
}
