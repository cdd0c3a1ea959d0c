package engine_test

import "testing"

func TestSuppressions(t *testing.T) { runScript(t, "suppression.txt") }
