// Package permission holds the checks of what policies allow: IoT policies, the IAM roles of Cognito identity
// pools, and those of role aliases. Each is one file and one constructor, which takes the
// [inventory.Inventory] to look at.
//
// What a policy allows is told by [policy.Set]; a check says only how much is too much. A policy that does not
// parse is a finding of every check that reads it, with reason code [model.ReasonCodeResourceNotEvaluable] and
// the parser's words. It does not hide what the other policies of the same role allow.
package permission
