// Package expect ends a program whose expectation fails.
package expect

import (
	"encoding/json"
	"log"
	"os"
	"reflect"
)

// URL and Token say which API the client calls, and as whom.
var URL, Token = os.Getenv("API_URL"), os.Getenv("API_TOKEN")

// OK ends the program after an error.
func OK(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Equal ends the program if the values differ.
func Equal(what string, expected, actual any) {
	if !reflect.DeepEqual(expected, actual) {
		log.Fatalf("%s: expected %v, but got %v", what, expected, actual)
	}
}

// Convert copies a value into one with the same JSON, as a product into its edits.
func Convert(from, to any) {
	text, err := json.Marshal(from)
	OK(err)
	OK(json.Unmarshal(text, to))
}
