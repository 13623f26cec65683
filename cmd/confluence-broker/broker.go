package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/confluence-broker/confluence-broker/confluenceclient"
	"github.com/confluence-broker/confluence-broker/service"
)

// runBroker serves calls and admin until ctx is done, then stops within the
// grace period. It closes both listeners.
func runBroker(ctx context.Context, c config, tel *telemetry, log *slog.Logger, calls, admin net.Listener) error {
	group, ctx := errgroup.WithContext(ctx)
	audit, auditFile, err := c.openAudit(log, tel.metrics)
	if err != nil {
		return errors.Join(err, calls.Close(), admin.Close())
	}
	defer func() { _ = auditFile.Close() }()
	server, client, err := newServer(ctx, c, audit, tel, log)
	if err != nil {
		return errors.Join(err, calls.Close(), admin.Close())
	}
	var ready atomic.Bool
	ready.Store(true)
	adminServer := newAdmin(tel.registry, &ready, client.Status, client.TokenStatus)
	adminServer.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)

	group.Go(func() error { return server.Serve(limitConnections(calls, c, log)) })
	group.Go(func() error {
		if err := adminServer.Serve(admin); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("admin: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		tendToken(ctx, client, log)
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		ready.Store(false)
		log.Info("stopping; open calls may finish", "grace", c.shutdownGrace)
		begin := time.Now()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.shutdownGrace)
		defer cancel()
		server.Stop(grace)
		log.Info("stopped", "after", time.Since(begin).Round(time.Millisecond))
		return adminServer.Close()
	})
	log.Info("serving", "address", calls.Addr().String(), "admin_address", admin.Addr().String(),
		"site", c.upstream.SiteURL, "cloud_id", c.upstream.CloudID, "auth", string(c.upstream.Credentials.Scheme), "version", version())
	return group.Wait()
}

func newServer(ctx context.Context, c config, audit *slog.Logger, tel *telemetry, log *slog.Logger) (*service.Server, *confluenceclient.Client, error) {
	key, err := c.pageTokenKey()
	if err != nil {
		return nil, nil, usageError(err)
	}
	upstream := c.upstream
	// A quarter is for words made of pages, the rest for what Confluence told.
	upstream.CacheBytes = cmp.Or(c.cacheBytes-c.cacheBytes/4, -1) // 0 means the default
	upstream.TracerProvider, upstream.MeterProvider = tel.traces, tel.metrics
	client, err := confluenceclient.New(upstream)
	if err != nil {
		return nil, nil, usageError(err)
	}
	policies, err := c.openPolicy()
	if err != nil {
		return nil, nil, usageError(err)
	}
	if err := policies.measure(tel.metrics); err != nil {
		return nil, nil, err
	}
	identity, err := c.identity(ctx, log, policies)
	if err != nil {
		return nil, nil, err
	}
	server, err := service.NewServer(service.Config{
		Client:            client,
		MaxAge:            cmp.Or(c.maxAge, -1), // to the service, 0 means the default
		CacheBytes:        cmp.Or(c.cacheBytes/4, -1),
		PageTokenKey:      key,
		Verifier:          identity.verifier,
		TLS:               identity.tls,
		Policy:            policies.value,
		Audit:             audit,
		AllowAnonymous:    c.allowAnonymous,
		NoReflection:      c.reflection == "off",
		ReflectionCallers: c.reflectionCallers(),
		MaxStreams:        uint32(c.maxStreams),
		StallTimeout:      c.stallTimeout,
		MaxMessageBytes:   int(c.maxMessageBytes),
		KeepaliveMinTime:  c.keepaliveMinTime,
		Diagnose: func(ctx context.Context) []confluenceclient.Finding {
			return confluenceclient.Diagnose(ctx, upstream, policyNeeds(policies.value())...)
		},
		Logger:         log,
		TracerProvider: tel.traces,
		MeterProvider:  tel.metrics,
	})
	return server, client, err
}
