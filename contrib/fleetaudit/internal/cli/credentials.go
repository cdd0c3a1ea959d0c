package cli

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"runtime"

	"github.com/fleetaudit/fleetaudit/contrib/awsapi"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/keyring"
	"github.com/fleetaudit/fleetaudit/engine"
)

// maxCredentialsFile is how long a file of credentials may be.
const maxCredentialsFile = 1 << 20

// readCredentials reads the access keys in a file, and warns of one that others may read. No path: nil.
func readCredentials(ctx context.Context, path string, log *slog.Logger) ([]keyring.Key, error) {
	if path == "" {
		return nil, nil
	}
	data, err := fleet.ReadFile(ctx, path, maxCredentialsFile)
	if err != nil {
		return nil, err
	}
	keys, err := keyring.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	const others fs.FileMode = 0o077
	if info, err := os.Stat(path); err == nil && info.Mode()&others != 0 && runtime.GOOS != "windows" {
		log.Warn("others than its owner may use the file of credentials: chmod 600 takes that away", "file", path, "mode", info.Mode().String())
	}
	return keys, nil
}

// api serves an engine to whoever has one of some keys; without any, to this machine.
func api(e *engine.Engine, keys []keyring.Key, throttle bool, log *slog.Logger) (http.Handler, error) {
	c := awsapi.Config{Throttle: throttle, Logger: log}
	if len(keys) == 0 {
		c.Engine = e
		return awsapi.Handler(c)
	}
	credentials := make(map[string]awsapi.Credential, len(keys))
	for _, k := range keys {
		credentials[k.AccessKeyID] = awsapi.Credential{SecretAccessKey: k.SecretAccessKey, SessionToken: k.SessionToken, Engine: e}
	}
	c.Credentials = func(_ context.Context, accessKeyID string) (awsapi.Credential, error) {
		credential, ok := credentials[accessKeyID]
		if !ok {
			return awsapi.Credential{}, awsapi.ErrUnknownAccessKey
		}
		return credential, nil
	}
	return awsapi.Handler(c)
}

// account is the number of the account: the one that was given, else the only one of those that the fleet names.
func account(given string, named []string, log *slog.Logger) string {
	switch {
	case given != "":
		return given
	case len(named) == 1:
		return named[0]
	case len(named) > 1:
		log.Warn("the fleet names several accounts, and --account none of them", "accounts", named)
	}
	return "000000000000"
}
