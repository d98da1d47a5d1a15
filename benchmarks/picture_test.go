package main

import (
	"encoding/json"
	"os"
	"testing"
)

// TestPictures: what is committed is what the program draws of the committed figures.
func TestPictures(t *testing.T) {
	data, err := os.ReadFile(figuresFile)
	if err != nil {
		t.Fatal(err)
	}
	var f figures
	if err := json.Unmarshal(data, &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Waits) != 3 || len(f.Shares) != 6 {
		t.Fatalf("%d lines and %d bars", len(f.Waits), len(f.Shares))
	}
	for name, want := range map[string][]byte{answersFile: f.answers(), bucketFile: f.bucket()} {
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s is not drawn from %s: run go run . pictures", name, figuresFile)
		}
	}
}
