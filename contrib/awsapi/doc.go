// Package awsapi lets unmodified AWS clients talk to an [engine.Engine]: the AWS SDKs and the AWS CLI, pointed at a local
// endpoint.
//
// [Handler] serves every operation of [engine.Operations] with AWS's REST-JSON protocol and has no code for any one of
// them. With Config.Engine it serves one account to this machine, without keys; with Config.Credentials each request has to
// be signed with a key, which says whose account it is about. [Server] is an http.Server with limits that fit.
//
// Where AWS's pages are silent, this is what the handler does:
//
//   - Names of members are exact, and each may be given once. Those that nobody knows are passed over, and so is what the
//     body of an operation says that takes none.
//   - null is absent, but as an element of a list or a map it is refused. An empty text in a query is absent; an empty
//     number, time or flag is refused.
//   - Times are epoch seconds, RFC 3339, or dates, in bodies and in queries. Integers may be written as 5.0 or 5e1
//     in a body.
//   - Everything that is wrong with the types of an input is one InvalidRequestException; only when nothing is, values are
//     looked at.
//   - Paths are taken as they come: one with a doubled slash or a trailing one is no operation's, and nothing is redirected.
//   - Signatures are in the Authorization header, of what X-Amz-Date dates: pre-signed URLs are refused, and so is a Date
//     instead of it.
//   - The header amz-sdk-invocation-id, which AWS's clients send with a UUID that is the same at each attempt of a call, is the
//     call's idempotency key ([engine.WithIdempotencyKey]): an attempt after an answer that was lost starts no second audit, but
//     has the id of the first. Its first value counts, if that has at most 128 bytes; with Config.Credentials it is each access
//     key's own. An id that comes again with another audit is refused.
//   - What no operation of AWS's has errors for has AWS's common ones: MissingAuthenticationTokenException,
//     IncompleteSignatureException, InvalidSignatureException, UnrecognizedClientException and AccessDeniedException (403),
//     UnknownOperationException (404), MethodNotAllowedException (405), RequestTimeoutException (408),
//     RequestEntityTooLargeException (413), UnsupportedMediaTypeException (415), MalformedHttpRequestException (400),
//     ServiceUnavailableException (503).
//
// Requests that net/http does not take for one (no HTTP, headers that are too large) are answered by it, not in AWS's shape.
package awsapi
