package cli_test

import (
	"strings"
	"testing"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/cli"
)

func TestNearest(t *testing.T) {
	all := []string{"CA_CERTIFICATE_EXPIRING_CHECK", "DEVICE_CERTIFICATE_AGE_CHECK", "DEVICE_CERTIFICATE_EXPIRING_CHECK", "LOGGING_DISABLED_CHECK"}
	for _, row := range []struct{ word, want string }{
		{"LOGGING_DISABLED_CHECK", "LOGGING_DISABLED_CHECK"},
		{"logging_disabled", "LOGGING_DISABLED_CHECK"},
		{"LOGING_DISABLED_CHEK", "LOGGING_DISABLED_CHECK"},
		{"EXPIRING", "CA_CERTIFICATE_EXPIRING_CHECK DEVICE_CERTIFICATE_EXPIRING_CHECK"},
		{"CHECK", "CA_CERTIFICATE_EXPIRING_CHECK DEVICE_CERTIFICATE_AGE_CHECK DEVICE_CERTIFICATE_EXPIRING_CHECK"},
		{"DEVICE_CERTIFICATE_AGING_CHECK", "DEVICE_CERTIFICATE_AGE_CHECK DEVICE_CERTIFICATE_EXPIRING_CHECK"},
		{"CA", ""},
		{"", ""},
		{"SOMETHING_ELSE", ""},
		{strings.Repeat("X", 1<<20), ""},
	} {
		if got := strings.Join(cli.Nearest(row.word, all), " "); got != row.want {
			t.Errorf("nearest to %.40q: %s, want %s", row.word, got, row.want)
		}
	}
}
