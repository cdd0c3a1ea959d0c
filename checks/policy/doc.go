// Package policy reads policy documents, those of AWS IoT and of IAM roles, and tells what they allow.
package policy
