package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// dialOptions are how a caller shows who it is, and makes sure of the broker.
func (c config) dialOptions() ([]grpc.DialOption, error) {
	secured := c.dialTLS || c.caFile != "" || c.clientCertFile != "" || c.clientKeyFile != ""
	transport := insecure.NewCredentials()
	if secured {
		config, err := c.dialConfig()
		if err != nil {
			return nil, err
		}
		transport = credentials.NewTLS(config)
	}
	options := []grpc.DialOption{grpc.WithTransportCredentials(transport)}
	if c.bearerFile == "" {
		return options, nil
	}
	if !secured && !isLoopback(c.address) {
		return nil, errors.New("a key that is sent without TLS can be read on the way: set --tls (BROKER_TLS) or --ca-file (BROKER_CA_FILE)")
	}
	token, err := readSecret(c.bearerFile)
	if err != nil {
		return nil, c.at("BROKER_KEY_FILE", err)
	}
	return append(options, grpc.WithPerRPCCredentials(bearer(token))), nil
}

func (c config) dialConfig() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS13}
	if c.caFile != "" {
		data, err := os.ReadFile(c.caFile)
		if err != nil {
			return nil, c.at("BROKER_CA_FILE", err)
		}
		if config.RootCAs, err = readAuthorities(c.caFile, data); err != nil {
			return nil, c.at("BROKER_CA_FILE", err)
		}
	}
	if c.clientCertFile == "" && c.clientKeyFile == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(c.clientCertFile, c.clientKeyFile)
	if err != nil {
		return nil, fmt.Errorf("--client-cert-file and --client-key-file (BROKER_CLIENT_CERT_FILE, BROKER_CLIENT_KEY_FILE) are no certificate with its key: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}

// bearer is sent with each call. Whether it may go without TLS, dialOptions has
// checked.
type bearer string

// GetRequestMetadata returns the header.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity is false, for brokers on this machine.
func (b bearer) RequireTransportSecurity() bool { return false }
