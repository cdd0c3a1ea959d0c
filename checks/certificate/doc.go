// Package certificate holds the checks of device and CA certificates: expiry, age, revocation and quality of
// keys. Each is one file and one constructor, which takes the [inventory.Inventory] to look at.
//
// All of them judge certificates of status ACTIVE and PENDING_TRANSFER, and skip the other statuses that
// AWS has. A certificate in scope that does not parse is a finding of every check, with reason code
// [model.ReasonCodeResourceNotEvaluable] and the parser's words, and so is one whose status is none of
// AWS's.
package certificate
