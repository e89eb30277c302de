package main

import (
	"flag"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var updateScripts = flag.Bool("update-scripts", false, "rewrite what the scripts in testdata/script expect of stdout and stderr")

// TestMain lets this test binary stand in for aboyeur in the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"aboyeur": main})
}

// TestScripts runs each testdata/script/*.txt in a folder of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", UpdateScripts: *updateScripts})
}
