// Package inventory holds the typed resources of an IoT fleet and the bundle of Sources over them that
// the built-in checks read.
//
// An [Inventory] has one [checks.Source] a kind of resource. A host whose fleet fits in memory gives its
// resources to [New], and new ones to [Inventory.Replace]; [Load] reads them from files. A host with a
// database assigns Sources of its own:
//
//	inv := inventory.New(inventory.Contents{CACertificates: cas})
//	inv.DeviceCertificates = &checks.Source[inventory.Certificate]{Name: "devices", All: rows}
//
// Whatever cannot be read is still there, and says why: a [Certificate] or a policy that does not parse, a
// [CRL] that cannot be relied on. [Revocations] judges from all of them which certificates are revoked.
//
// Certificates are parsed and signatures of CRLs checked; nothing here builds or verifies a chain of
// trust.
//
// # Files
//
// [Load] tells what a file is by its content, whatever its name, and reads
//
//   - certificates and CRLs: PEM blocks with whatever text between them, of type CERTIFICATE, X509 CERTIFICATE,
//     TRUSTED CERTIFICATE (of which the trust settings are passed over) and X509 CRL; or DER objects one after
//     another. Those whose basic constraints say so are CA certificates, and version 1 certificates that are
//     self-issued; the others are device certificates, also those that do not parse. They are ACTIVE unless a
//     JSON file says otherwise.
//   - lists of weak keys: lines of 20 hexadecimal digits, and of comments that begin with #, as [weakkey.ReadBlocklist] reads.
//   - everything else: JSON objects one after another, be it a line each or not, of at most 64 MiB. There are three
//     kinds. An object with the member Statement is the document of an IoT policy, which has the name of the
//     file without its extension, and version 1. One with eventType is an event. Any other is a fleet: it has
//     some of the members policies, identityPools, roleAliases, certificates and accounts.
//
// This fleet has one of each; lists have any number, and what is marked with ? may be absent:
//
//	{
//	  "policies": [{
//	    "policyName": "thermostat",
//	    "policyVersionId": "3",
//	    "isDefaultVersion": true,                                  ? true
//	    "policyDocument": {"Version": "2012-10-17", "Statement": []},
//	    "targets": ["arn:aws:iot:eu-west-1:123456789012:thinggroup/thermostats"]  ? none
//	  }],
//	  "identityPools": [{
//	    "identityPoolId": "eu-west-1:12345678-9abc-def0-1234-56789abcdef0",
//	    "lastConnectedAt": "2024-05-31T09:00:00Z",                 ? not known
//	    "authenticated": [{                                        ? none
//	      "roleArn": "arn:aws:iam::123456789012:role/app-user",
//	      "policies": [{"policyName": "things", "policyDocument": {"Version": "2012-10-17", "Statement": []}}]
//	    }],
//	    "unauthenticated": []                                      ? none
//	  }],
//	  "roleAliases": [{
//	    "roleAliasArn": "arn:aws:iot:eu-west-1:123456789012:rolealias/uploads",
//	    "role": {"roleArn": "arn:aws:iam::123456789012:role/uploads", "policies": []},
//	    "servicesLastAccessed": [                                  ? nothing is known; empty: none was ever used
//	      {"serviceNamespace": "s3", "lastAuthenticated": 1717142400}  ? it was never used
//	    ]
//	  }],
//	  "certificates": [{                                           what the registry says of a certificate in PEM or DER
//	    "certificateId": "64 hexadecimal digits, the SHA-256 of its DER",
//	    "status": "REVOKED",                                       ? ACTIVE
//	    "creationDate": "2024-01-15"                               ? not known
//	  }],
//	  "accounts": [{
//	    "account": "123456789012",
//	    "loggingOptions": {"roleArn": "...", "logLevel": "ERROR"}, ? disabled
//	    "v2LoggingOptions": {"roleArn": "...", "defaultLogLevel": "WARN", "disableAllLogs": false}  ? disabled
//	  }]
//	}
//
// A policyDocument may also be a string that holds JSON, and the members that AWS prints beside these are passed
// over: policyArn, creationDate, lastModifiedDate and generationId of a policy version, certificateArn and
// certificateMode of a certificate, eventConfigurations of v2LoggingOptions. The outputs of list-certificates and
// list-ca-certificates are therefore such files; a nextMarker or nextToken in one is a Problem, since the rest is
// missing. Times are in RFC 3339, dates (their midnight in UTC), or numbers of epoch seconds.
//
// An event is what AWS IoT publishes when a client connects or disconnects, its time in epoch milliseconds:
//
//	{"clientId": "lock-7", "timestamp": 1717142400000, "eventType": "connected",
//	  "sessionIdentifier": "...", "principalIdentifier": "the certificateId, or another identity"}
//	{"clientId": "lock-7", "timestamp": 1717146000000, "eventType": "disconnected",
//	  "sessionIdentifier": "...", "principalIdentifier": "...",
//	  "disconnectReason": "CONNECTION_LOST", "clientInitiatedDisconnect": false}
//
// The last four members may be absent; versionNumber, ipAddress and thingName are passed over. [Connections] makes
// the clients and their connections of all events together.
//
// Any other member, a value of another type, and a name that AWS would not allow are Problems, with the place, the
// path and, of a scalar, the value. An element without a name that can be used is left out then; otherwise it stays, and where a
// policy cannot be read, says so in its ParseError. The same resource twice is one; if the two differ, the first
// counts, and the second is a Problem. An element may have 1 MiB beside its policy documents and targets.
package inventory
