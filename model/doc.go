// Package model holds the words of AWS IoT Device Defender Audit: the inputs and outputs of its
// operations, the shapes nested in them, its enums and its errors.
//
// Go names take Go initialisms (TaskID), JSON names are AWS's exactly (taskId). A value that is absent
// and a value that is zero are the same thing, unless the member is a pointer or, in an input, a list or map:
// one that is nil is absent, one that is empty is not. The types are plain data:
// they may be copied freely, and none of them is safe for concurrent use while one goroutine writes it.
//
// Each member carries a tag that names its AWS shape, whether it is required and where it travels in an
// HTTP request:
//
//	ScheduledAuditName string `json:"scheduledAuditName,omitempty" aws:"ScheduledAuditName,required,uri"`
//
// [Check] reads those tags: the constraints of every shape stand in one table, in shapes.go. Facts are
// those of the service model of 2015-05-28 as botocore 1.43.67 carries it.
package model
