package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"go.opentelemetry.io/contrib/exporters/autoexport"
	"go.opentelemetry.io/otel"
	otelprom "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"golang.org/x/time/rate"
)

const (
	// A collector that is down must not hold up the end of the program.
	flushLimit = 2 * time.Second
	// A collector that is down would otherwise be reported with every batch.
	exportWarningInterval = time.Minute
)

// telemetry makes spans and metrics. Where they go is told by the standard
// OTEL_* variables.
type telemetry struct {
	traces   *sdktrace.TracerProvider
	metrics  *sdkmetric.MeterProvider
	registry *prometheus.Registry // what /metrics shows
}

// newTelemetry reads OTEL_* variables through getenv to decide what is
// exported, and leaves the rest of them to the exporters, which read the
// process's own. As the OpenTelemetry specification has it, a variable that makes
// no sense is warned of and ignored: it keeps no broker from starting. Close the
// result with shutdown.
func newTelemetry(ctx context.Context, getenv func(string) string, log *slog.Logger) (*telemetry, error) {
	otel.SetLogger(logr.FromSlogHandler(log.Handler()))
	otel.SetErrorHandler(exportWarnings(log))
	res, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName("confluence-broker"), semconv.ServiceVersion(version())),
		resource.WithTelemetrySDK(),
		resource.WithFromEnv(), // last, so that OTEL_SERVICE_NAME wins
	)
	if err != nil { // res has all the rest
		log.WarnContext(ctx, "a part of what describes this program to collectors is left out; check OTEL_RESOURCE_ATTRIBUTES", "error", err)
	}
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		getenv = func(string) string { return "" } // nothing is exported; /metrics is pulled, and stays
	}
	traces := newTracerProvider(ctx, getenv, res, log)
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	metrics, err := newMeterProvider(ctx, getenv, res, registry, log)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("telemetry: metrics: %w", err), traces.Shutdown(ctx))
	}
	return &telemetry{traces: traces, metrics: metrics, registry: registry}, nil
}

func newTracerProvider(ctx context.Context, getenv func(string) string, res *resource.Resource, log *slog.Logger) *sdktrace.TracerProvider {
	// Spans that nobody collects are not recorded; they still have ids, which the
	// log shows.
	quiet := sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithSampler(sdktrace.NeverSample()))
	if !anySet(getenv, "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER") {
		return quiet
	}
	exporter, err := autoexport.NewSpanExporter(ctx)
	if err != nil {
		log.WarnContext(ctx, "no traces are exported; check the OTEL_* variables", "error", err)
		return quiet
	}
	// The batcher holds 2,048 spans and drops those beyond: memory stays bounded
	// and no call waits for the collector.
	return sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithBatcher(exporter))
}

// newMeterProvider always serves /metrics. It also pushes where that was asked
// for by name; the general OTLP endpoint alone does not count, because the most
// usual one, Jaeger, takes no metrics and would refuse each batch.
func newMeterProvider(ctx context.Context, getenv func(string) string, res *resource.Resource, registry *prometheus.Registry, log *slog.Logger) (*sdkmetric.MeterProvider, error) {
	pull, err := otelprom.New(otelprom.WithRegisterer(registry), otelprom.WithoutScopeInfo())
	if err != nil {
		return nil, err
	}
	options := []sdkmetric.Option{sdkmetric.WithResource(res), sdkmetric.WithReader(pull)}
	if anySet(getenv, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "OTEL_METRICS_EXPORTER") && getenv("OTEL_METRICS_EXPORTER") != "prometheus" {
		push, err := autoexport.NewMetricReader(ctx)
		if err != nil {
			log.WarnContext(ctx, "no metrics are pushed; check the OTEL_* variables", "error", err)
			return sdkmetric.NewMeterProvider(options...), nil
		}
		options = append(options, sdkmetric.WithReader(push))
	}
	return sdkmetric.NewMeterProvider(options...), nil
}

func anySet(getenv func(string) string, names ...string) bool {
	for _, name := range names {
		if getenv(name) != "" {
			return true
		}
	}
	return false
}

// exportWarnings logs the first failure of an exporter and then one a minute.
func exportWarnings(log *slog.Logger) otel.ErrorHandler {
	sometimes := rate.Sometimes{First: 1, Interval: exportWarningInterval}
	return otel.ErrorHandlerFunc(func(err error) {
		sometimes.Do(func() {
			log.Warn("telemetry could not be exported; calls are not affected, and this is said at most once a minute", "error", err)
		})
	})
}

// shutdown sends what is left, for no longer than flushLimit.
func (t *telemetry) shutdown(log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), flushLimit)
	defer cancel()
	if err := errors.Join(t.traces.Shutdown(ctx), t.metrics.Shutdown(ctx)); err != nil {
		log.Warn("the last spans and metrics could not be exported", "error", err)
	}
}
