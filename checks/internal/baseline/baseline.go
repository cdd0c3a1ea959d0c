// Package baseline names the published documents that the built-in checks refer to.
package baseline

import "github.com/fleetaudit/fleetaudit/checks"

// NISTIR8259A refers to a capability of NIST's core baseline for IoT devices.
func NISTIR8259A(capability string) checks.Reference {
	return checks.Reference{Standard: "NISTIR 8259A", Section: capability, URL: "https://doi.org/10.6028/NIST.IR.8259A"}
}

// ETSI303645 refers to a provision of the European baseline for consumer IoT.
func ETSI303645(provision string) checks.Reference {
	return checks.Reference{Standard: "ETSI EN 303 645", Section: provision,
		URL: "https://www.etsi.org/deliver/etsi_en/303600_303699/303645/02.01.01_60/en_303645v020101p.pdf"}
}

// IEC62443 refers to a requirement on components of industrial control systems.
func IEC62443(requirement string) checks.Reference {
	return checks.Reference{Standard: "IEC 62443-4-2", Section: requirement, URL: "https://webstore.iec.ch/publication/34421"}
}

// AWSPage is the address of AWS's page about a check.
func AWSPage(name string) string {
	return "https://docs.aws.amazon.com/iot-device-defender/latest/devguide/" + name + ".html"
}
