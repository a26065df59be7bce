// The same spans and records leave in each of the encodings, so that one recording can be held against another.
package main

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/trace"
)

// Large enough that one recording is one request.
const (
	batchMax     = 2_048
	batchTimeout = 10 * time.Minute
)

// withSpansTo makes a processor for every variant, such as "protobuf-gzip", of the recording.
func withSpansTo(ctx context.Context, name string, variants ...string) []trace.TracerProviderOption {
	var options []trace.TracerProviderOption
	for _, variant := range variants {
		exporting := []otlptracehttp.Option{
			otlptracehttp.WithHeaders(map[string]string{"recording": "go-" + name + "-" + variant}),
		}
		if variant == "protobuf-gzip" || variant == "json-gzip" {
			exporting = append(exporting, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
		}
		if variant == "json" || variant == "json-gzip" {
			exporting = append(exporting, otlptracehttp.WithEncoding(otlptracehttp.EncodingJSON))
		}
		options = append(options, trace.WithBatcher(must(otlptracehttp.New(ctx, exporting...)),
			trace.WithMaxQueueSize(batchMax), trace.WithMaxExportBatchSize(batchMax), trace.WithBatchTimeout(batchTimeout)))
	}
	return options
}

// withLogsTo is the same for log records, which this SDK sends as protobuf only.
func withLogsTo(ctx context.Context, name string, variants ...string) []sdklog.LoggerProviderOption {
	var options []sdklog.LoggerProviderOption
	for _, variant := range variants {
		exporting := []otlploghttp.Option{
			otlploghttp.WithHeaders(map[string]string{"recording": "go-" + name + "-" + variant}),
		}
		if variant == "protobuf-gzip" {
			exporting = append(exporting, otlploghttp.WithCompression(otlploghttp.GzipCompression))
		}
		options = append(options, sdklog.WithProcessor(sdklog.NewBatchProcessor(must(otlploghttp.New(ctx, exporting...)),
			sdklog.WithMaxQueueSize(batchMax), sdklog.WithExportMaxBatchSize(batchMax), sdklog.WithExportInterval(batchTimeout))))
	}
	return options
}

// recordAt is a log record of a moment, observed half a microsecond later.
func recordAt(moment time.Time) log.Record {
	var record log.Record
	record.SetTimestamp(moment)
	record.SetObservedTimestamp(moment.Add(500 * time.Nanosecond))
	return record
}
