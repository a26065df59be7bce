// What an instrumented service sends all day: an RPC, the queries that it makes, a call to a peer.
package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	. "go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const calls = 50

var ordinaryResource = must(resource.Merge(resource.Default(), resource.NewSchemaless(
	String("service.name", "prices"),
	String("service.namespace", "shop"),
	String("service.version", "v0.31.4"),
	String("service.instance.id", "0d3c7f6e-9a51-4f3a-8d0b-6f4f6f0d9b11"),
	String("deployment.environment.name", "production"),
	String("host.name", "prices-0"),
	String("os.type", "linux"),
	Int("process.pid", 1),
	String("process.runtime.name", "go"),
	StringSlice("host.ip", []string{"10.0.7.21", "fe80::42:aff:fe00:715"}),
	String("k8s.deployment.name", "prices"),
)))

var methods = []string{"Quote", "QuoteMany", "Discounts", "Currencies"}

func beOrdinary(ctx context.Context) {
	tracers := sdktrace.NewTracerProvider(append(withSpansTo(ctx, "ordinary-traces", "protobuf-gzip", "json-gzip"),
		sdktrace.WithResource(ordinaryResource))...)
	loggers := sdklog.NewLoggerProvider(append(withLogsTo(ctx, "ordinary-logs", "protobuf-gzip"),
		sdklog.WithResource(ordinaryResource))...)
	chance := rand.New(rand.NewPCG(7, 7))
	for call := range calls {
		serve(ctx, tracers, loggers, chance, time.Unix(1_795_741_200, int64(call)*23_000_000+chance.Int64N(5_000_000)))
	}
	stopOn(tracers.Shutdown(ctx))
	stopOn(loggers.Shutdown(ctx))
}

// serve is one call that came in at a moment, under the context of a sampled caller.
func serve(
	ctx context.Context, tracers trace.TracerProvider, loggers log.LoggerProvider, chance *rand.Rand, now time.Time,
) {
	grpc := tracers.Tracer("go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc",
		trace.WithInstrumentationVersion("0.68.0"))
	sql := tracers.Tracer("github.com/XSAM/otelsql", trace.WithInstrumentationVersion("0.42.0"))
	http := tracers.Tracer("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp",
		trace.WithInstrumentationVersion("0.68.0"), trace.WithSchemaURL("https://opentelemetry.io/schemas/1.37.0"))
	logger := loggers.Logger("prices", log.WithInstrumentationVersion("0.31.4"))
	lasting := func(shortest, longest time.Duration) time.Time {
		now = now.Add(shortest + time.Duration(chance.Int64N(int64(longest-shortest))))
		return now
	}

	storefront := contextOf(fmt.Sprintf("%016x%016x", chance.Uint64()|1, chance.Uint64()),
		fmt.Sprintf("%016x", chance.Uint64()|1), trace.FlagsSampled, "ot=th:8", true)
	method := methods[chance.IntN(len(methods))]
	isFailing := chance.Float64() < 0.06
	inServer, server := grpc.Start(trace.ContextWithRemoteSpanContext(ctx, storefront), "shop.prices.v2.Prices/"+method,
		trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(now), trace.WithAttributes(
			String("rpc.system.name", "grpc"),
			String("rpc.method", "shop.prices.v2.Prices/"+method),
			String("server.address", "prices.internal"),
			Int("server.port", 8080),
			String("network.peer.address", fmt.Sprintf("10.0.3.%d", chance.IntN(256))),
			Int("network.peer.port", 32_768+chance.IntN(28_000)),
			String("service.peer.name", "storefront"),
		))
	server.AddEvent("message", trace.WithTimestamp(now.Add(time.Microsecond)),
		trace.WithAttributes(String("message.type", "RECEIVED"), Int("message.id", 1), Int("message.uncompressed_size", 37)))
	for range 1 + chance.IntN(3) {
		_, query := sql.Start(inServer, "sql.conn.query", trace.WithSpanKind(trace.SpanKindClient),
			trace.WithTimestamp(lasting(10*time.Microsecond, 90*time.Microsecond)), trace.WithAttributes(
				String("db.system.name", "mysql"),
				String("db.query.text", "SELECT amount, currency FROM prices WHERE product_id = ? AND valid_until > NOW()"),
				String("server.address", "db.internal"),
			))
		_, rows := sql.Start(trace.ContextWithSpan(inServer, query), "sql.rows",
			trace.WithTimestamp(lasting(100*time.Microsecond, 2*time.Millisecond)))
		rows.End(trace.WithTimestamp(lasting(5*time.Microsecond, 400*time.Microsecond)))
		query.End(trace.WithTimestamp(lasting(time.Microsecond, 9*time.Microsecond)))
	}
	_, rates := http.Start(inServer, "GET", trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(now),
		trace.WithAttributes(
			String("http.request.method", "GET"),
			String("url.full", "https://rates.example/v1/latest?base=EUR"),
			String("server.address", "rates.example"),
			String("network.protocol.version", "2"),
		))
	lasting(2*time.Millisecond, 30*time.Millisecond)
	record := recordAt(now)
	record.SetSeverity(log.SeverityInfo)
	record.SetSeverityText("INFO")
	record.SetBody(StringValue("quoted"))
	record.AddAttributes(String("method", method), Float64("rate", 1+chance.Float64()))
	status := "OK"
	if isFailing {
		status = "DEADLINE_EXCEEDED"
		err := context.DeadlineExceeded
		rates.RecordError(err, trace.WithTimestamp(now))
		rates.SetStatus(codes.Error, err.Error())
		server.SetStatus(codes.Error, "rates: "+err.Error())
		record.SetSeverity(log.SeverityError)
		record.SetSeverityText("ERROR")
		record.SetBody(StringValue("cannot quote"))
		record.SetErr(err)
	} else {
		rates.SetAttributes(Int("http.response.status_code", 200), Int("http.response.body.size", 1_874))
	}
	rates.End(trace.WithTimestamp(now))
	logger.Emit(inServer, record)
	server.SetAttributes(String("rpc.response.status_code", status))
	server.End(trace.WithTimestamp(lasting(10*time.Microsecond, 60*time.Microsecond)))
}
