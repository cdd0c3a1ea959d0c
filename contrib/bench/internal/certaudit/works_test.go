package certaudit_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/certaudit"
)

// want are the findings of a fleet of 2,000, of whose devices two are of each kind.
var want = map[string]int{
	"CA_CERTIFICATE_EXPIRING_CHECK CERTIFICATE_PAST_EXPIRATION":                                      1,
	"REVOKED_CA_CERTIFICATE_STILL_ACTIVE_CHECK CERTIFICATE_REVOKED_BY_ISSUER":                        1,
	"INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK INTERMEDIATE_CA_REVOKED_BY_ISSUER": 1,
	"INTERMEDIATE_CA_REVOKED_FOR_ACTIVE_DEVICE_CERTIFICATES_CHECK RESOURCE_NOT_EVALUABLE":            2,
	"DEVICE_CERTIFICATE_EXPIRING_CHECK CERTIFICATE_PAST_EXPIRATION":                                  4,
	"DEVICE_CERTIFICATE_EXPIRING_CHECK CERTIFICATE_APPROACHING_EXPIRATION":                           2,
	"DEVICE_CERTIFICATE_EXPIRING_CHECK RESOURCE_NOT_EVALUABLE":                                       2,
	"DEVICE_CERTIFICATE_AGE_CHECK CERTIFICATE_PAST_AGE_THRESHOLD":                                    2,
	"DEVICE_CERTIFICATE_AGE_CHECK RESOURCE_NOT_EVALUABLE":                                            2,
	"DEVICE_CERTIFICATE_KEY_QUALITY_CHECK CERTIFICATE_KEY_VULNERABILITY_CVE-2017-15361":              2,
	"DEVICE_CERTIFICATE_KEY_QUALITY_CHECK CERTIFICATE_KEY_VULNERABILITY_CVE-2008-0166":               2,
	"DEVICE_CERTIFICATE_KEY_QUALITY_CHECK RESOURCE_NOT_EVALUABLE":                                    2,
	"REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK CERTIFICATE_REVOKED_BY_ISSUER":                    2,
	"REVOKED_DEVICE_CERTIFICATE_STILL_ACTIVE_CHECK RESOURCE_NOT_EVALUABLE":                           2,
}

// TestWorks: all contenders find the same, which is of every kind, each time.
func TestWorks(t *testing.T) {
	for _, w := range certaudit.Works() {
		t.Run(w.Name, func(t *testing.T) {
			want := maps.Clone(want)
			if strings.HasPrefix(w.Name, "six checks") { // of device certificates
				maps.DeleteFunc(want, func(words string, _ int) bool { return strings.Contains(words, "CA_CERTIFICATE") })
			}
			var first certaudit.Answer
			for i, c := range w.Contenders {
				task, err := c.New(2000)
				require.NoError(t, err, c.Name)
				t.Cleanup(task.Close) // not before: contenders share a fleet
				for range 2 {
					require.NoError(t, task.Do(), c.Name)
					got := task.Answer().(certaudit.Answer)
					if diff := cmp.Diff(want, got.Counts); diff != "" {
						t.Errorf("%s: findings (-want +got):\n%s", c.Name, diff)
					}
					if i == 0 {
						first = got
					} else if got.Digest != first.Digest {
						t.Errorf("%s finds what %s does not", c.Name, w.Contenders[0].Name)
					}
				}
			}
		})
	}
}
