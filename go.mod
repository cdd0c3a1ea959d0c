module github.com/fleetaudit/fleetaudit

go 1.26
