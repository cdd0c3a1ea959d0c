package engine_test

import "testing"

func TestHistory(t *testing.T) { runScript(t, "history.txt") }
