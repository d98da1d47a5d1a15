package imbottest

// lookupV1 finds a method by its name in lower case. Each family of methods has a file with a
// function that lists them.
func lookupV1(name string) method {
	for _, family := range []func(string) method{
		botMethods, chatMethods, appMethods, messageMethods, commandMethods, lineMethods, portalMethods, optionMethods, eventMethods, undocumentedMethods,
	} {
		if m := family(name); m != nil {
			return m
		}
	}
	return nil
}
