// Package awsapi lets unmodified AWS clients talk to an [engine.Engine]: the AWS SDKs and the AWS CLI, pointed at a local
// endpoint.
package awsapi
