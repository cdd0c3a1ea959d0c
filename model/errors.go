package model

// APIError is what every error of an operation implements. Find one by its type
// (errors.AsType[*model.InvalidRequestException](err)) or any of them as an APIError.
type APIError interface {
	error
	ErrorCode() string    // the exception's name, as AWS prints it
	ErrorMessage() string // what went wrong, for people
	HTTPStatusCode() int  // the status that AWS answers with
}

// InvalidRequestException says that an input is wrong. Its message names every problem of the input, up
// to a hundred of them.
type InvalidRequestException struct {
	Message  string    `json:"message"`
	Problems []Problem `json:"-"` // each problem by itself; empty when the message is the only one
}

// Error is the code and the message.
func (e *InvalidRequestException) Error() string { return text(e) }

// ErrorCode is "InvalidRequestException".
func (e *InvalidRequestException) ErrorCode() string { return "InvalidRequestException" }

// ErrorMessage is Message.
func (e *InvalidRequestException) ErrorMessage() string { return e.Message }

// HTTPStatusCode is 400.
func (e *InvalidRequestException) HTTPStatusCode() int { return 400 }

// ResourceNotFoundException says that what the input names does not exist.
type ResourceNotFoundException struct {
	Message string `json:"message"`
}

// Error is the code and the message.
func (e *ResourceNotFoundException) Error() string { return text(e) }

// ErrorCode is "ResourceNotFoundException".
func (e *ResourceNotFoundException) ErrorCode() string { return "ResourceNotFoundException" }

// ErrorMessage is Message.
func (e *ResourceNotFoundException) ErrorMessage() string { return e.Message }

// HTTPStatusCode is 404.
func (e *ResourceNotFoundException) HTTPStatusCode() int { return 404 }

// ResourceAlreadyExistsException says that a resource of that name exists and is not the same.
type ResourceAlreadyExistsException struct {
	Message     string `json:"message"`
	ResourceID  string `json:"resourceId,omitempty"`
	ResourceARN string `json:"resourceArn,omitempty"`
}

// Error is the code and the message.
func (e *ResourceAlreadyExistsException) Error() string { return text(e) }

// ErrorCode is "ResourceAlreadyExistsException".
func (e *ResourceAlreadyExistsException) ErrorCode() string { return "ResourceAlreadyExistsException" }

// ErrorMessage is Message.
func (e *ResourceAlreadyExistsException) ErrorMessage() string { return e.Message }

// HTTPStatusCode is 409.
func (e *ResourceAlreadyExistsException) HTTPStatusCode() int { return 409 }

// LimitExceededException says that a quota is used up.
type LimitExceededException struct {
	Message string `json:"message"`
}

// Error is the code and the message.
func (e *LimitExceededException) Error() string { return text(e) }

// ErrorCode is "LimitExceededException".
func (e *LimitExceededException) ErrorCode() string { return "LimitExceededException" }

// ErrorMessage is Message.
func (e *LimitExceededException) ErrorMessage() string { return e.Message }

// HTTPStatusCode is 410.
func (e *LimitExceededException) HTTPStatusCode() int { return 410 }

// ThrottlingException says that calls come too fast. AWS's service model has it as 400, its API
// reference as 429; clients go by the code, and 429 is what they retry on besides.
type ThrottlingException struct {
	Message string `json:"message"`
}

// Error is the code and the message.
func (e *ThrottlingException) Error() string { return text(e) }

// ErrorCode is "ThrottlingException".
func (e *ThrottlingException) ErrorCode() string { return "ThrottlingException" }

// ErrorMessage is Message.
func (e *ThrottlingException) ErrorMessage() string { return e.Message }

// HTTPStatusCode is 429.
func (e *ThrottlingException) HTTPStatusCode() int { return 429 }

// InternalFailureException says that the fault is not the caller's.
type InternalFailureException struct {
	Message string `json:"message"`
}

// Error is the code and the message.
func (e *InternalFailureException) Error() string { return text(e) }

// ErrorCode is "InternalFailureException".
func (e *InternalFailureException) ErrorCode() string { return "InternalFailureException" }

// ErrorMessage is Message.
func (e *InternalFailureException) ErrorMessage() string { return e.Message }

// HTTPStatusCode is 500.
func (e *InternalFailureException) HTTPStatusCode() int { return 500 }

func text(e APIError) string { return e.ErrorCode() + ": " + e.ErrorMessage() }
