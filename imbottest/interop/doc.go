// Package interop tries examples/portal with clients in other languages: the vendor's
// JavaScript SDK (@bitrix24/b24jssdk) and @2bad/bitrix, both from npm in the versions of
// package-lock.json. Its test needs node and npm, and installs the packages here when they
// are missing. Where that cannot be done it is skipped.
package interop
