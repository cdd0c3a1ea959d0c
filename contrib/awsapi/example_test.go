package awsapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iot"
	"github.com/aws/smithy-go"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// One handler serves two accounts: the access key picks the Engine, and neither account sees what is the other's.
func ExampleHandler_accounts() {
	spec := checks.Spec{Name: "NOTHING_CHECK", Severity: model.AuditFindingSeverityLow,
		ResourceType: model.ResourceTypeClientID, ReasonCodes: []checks.ReasonCode{{Code: "NOTHING"}}}
	nothing := checks.New(spec, func(context.Context, *checks.Pass) error { return nil })
	accounts := make(map[string]awsapi.Credential)
	for _, name := range []string{"north", "south"} {
		e, err := engine.New(engine.Config{Checks: []checks.Check{nothing}, EnableAll: true})
		ok(err)
		defer e.Close()
		accounts["AKID"+name] = awsapi.Credential{SecretAccessKey: "secret of " + name, Engine: e}
	}
	handler, err := awsapi.Handler(awsapi.Config{
		Credentials: func(_ context.Context, accessKeyID string) (awsapi.Credential, error) {
			c, known := accounts[accessKeyID]
			if !known {
				return awsapi.Credential{}, awsapi.ErrUnknownAccessKey
			}
			return c, nil
		},
	})
	ok(err)
	server := httptest.NewServer(handler)
	defer server.Close()

	// From here on, everything is AWS's own client.
	client := func(accessKeyID, secret string) *iot.Client {
		return iot.New(iot.Options{
			Region:       "eu-west-1",
			BaseEndpoint: &server.URL,
			Credentials:  credentials.NewStaticCredentialsProvider(accessKeyID, secret, ""),
		})
	}
	ctx := context.Background()
	north := client("AKIDnorth", "secret of north")
	start := iot.StartOnDemandAuditTaskInput{TargetCheckNames: []string{spec.Name}}
	audit, err := north.StartOnDemandAuditTask(ctx, &start)
	ok(err)
	for _, c := range []*iot.Client{
		north,
		client("AKIDsouth", "secret of south"),
		client("AKIDnorth", "secret of south"),
		client("AKIDwest", "secret of north"),
	} {
		task, err := c.DescribeAuditTask(ctx, &iot.DescribeAuditTaskInput{TaskId: audit.TaskId})
		if refused, ok := errors.AsType[smithy.APIError](err); ok {
			fmt.Println(refused.ErrorCode())
			continue
		}
		fmt.Println(task.TaskType, err)
	}
	// Output:
	// ON_DEMAND_AUDIT_TASK <nil>
	// ResourceNotFoundException
	// InvalidSignatureException
	// UnrecognizedClientException
}

func ok(err error) {
	if err != nil {
		panic(err)
	}
}
