module github.com/fleetaudit/fleetaudit/contrib/awsapi

go 1.26.0

replace github.com/fleetaudit/fleetaudit => ../..

require github.com/fleetaudit/fleetaudit v0.0.0-00010101000000-000000000000

require (
	github.com/hashicorp/go-immutable-radix v1.3.1 // indirect
	github.com/hashicorp/go-memdb v1.3.5 // indirect
	github.com/hashicorp/golang-lru v0.5.4 // indirect
	golang.org/x/sync v0.24.0 // indirect
)
