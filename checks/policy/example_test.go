package policy_test

import (
	"fmt"

	"github.com/fleetaudit/fleetaudit/checks/policy"
)

func ExampleSet() {
	d, err := policy.Parse([]byte(`{
		"Version": "2012-10-17",
		"Statement": [
			{"Effect": "Allow", "Action": ["iot:Connect", "iot:Publish", "iot:Subscribe"], "Resource": "*"},
			{"Effect": "Deny", "Action": ["iot:Connect", "iot:Publish"],
				"NotResource": ["arn:aws:iot:*:*:client/${iot:Connection.Thing.ThingName}", "arn:aws:iot:*:*:topic/lamps/*"]},
			{"Effect": "Deny", "Action": "iot:Subscribe", "Resource": "arn:aws:iot:*:*:topicfilter/locks/*"}
		]
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	s := policy.Set{d}
	fmt.Println("broad:", s.BroadDataPlane())
	fmt.Println("denied in vain:", s.DeniedButReceivable())
	// Output:
	// broad: [iot:Subscribe]
	// denied in vain: [arn:aws:iot:*:*:topicfilter/locks/*]
}

func ExampleSyntaxError() {
	_, err := policy.Parse([]byte(`{"Statement": {
		"Effect": "Deny",
		"Effect": "Allow"
	}}`))
	fmt.Println(err)
	// Output: line 3, column 3: Statement.Effect is there twice, first in line 2, column 3
}
