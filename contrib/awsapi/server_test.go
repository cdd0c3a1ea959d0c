package awsapi_test

import (
	"net/http"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
)

// A server that closes connections which clients still keep for their next request fails that request.
func TestServerOutlastsIdleClients(t *testing.T) {
	s := awsapi.Server(http.NotFoundHandler())
	require.Greater(t, s.IdleTimeout, awshttp.DefaultHTTPTransportIdleConnTimeout)
	require.Equal(t, s.WriteTimeout, s.ReadTimeout, "the body and the answer have the same minute")
}
