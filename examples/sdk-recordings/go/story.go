// The story that each SDK tells as far as it can; README.md beside the recordings says what is in it.
package main

import (
	"context"
	"fmt"
	"math"
	"time"

	. "go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

const schemaURL = "https://opentelemetry.io/schemas/1.40.0"

// at is a moment of the story, so many nanoseconds after it began: 2026-11-27T01:00:00.123456789Z.
func at(nanoseconds int) time.Time {
	return time.Unix(1_795_741_200, 123_456_789+int64(nanoseconds))
}

var storyResource = resource.NewWithAttributes(schemaURL,
	String("service.name", "shop"),
	String("service.namespace", "headwater"),
	String("service.version", "1.2.3-ß"),
	String("service.instance.id", "627cc493-f310-47de-96bd-71410b7dec09"),
	String("deployment.environment.name", "recording"),
	Int("shop.shards", 3),
	Bool("shop.canary", true),
	Float64("shop.load", 0.75),
	StringSlice("shop.regions", []string{"eu-north", "eu-south"}),
	IntSlice("shop.ports", []int{8080, 8443}),
)

var everyType = []KeyValue{
	String("text.plain", "plain"),
	String("text.empty", ""),
	String("text.unicode", "żółć 漢字 🚀 e\u0301"),
	String("text.control", "tab\tline\nbell\u0007escape\u001bdelete\u007f"),
	Bool("bool.true", true),
	Bool("bool.false", false),
	Int64("int.zero", 0),
	Int64("int.negative", -42),
	Int64("int.largest", math.MaxInt64),
	Int64("int.smallest", math.MinInt64),
	Float64("double.fraction", 0.1),
	Float64("double.whole", 2),
	Float64("double.negative_zero", math.Copysign(0, -1)),
	Float64("double.largest", math.MaxFloat64),
	Float64("double.smallest", math.SmallestNonzeroFloat64),
	Float64("double.nan", math.NaN()),
	Float64("double.infinity", math.Inf(1)),
	Float64("double.minus_infinity", math.Inf(-1)),
	StringSlice("list.text", []string{"a", "", "🚀"}),
	BoolSlice("list.bool", []bool{true, false}),
	Int64Slice("list.int", []int64{-1, 0, math.MaxInt64}),
	Float64Slice("list.double", []float64{0.1, -2.5, 1e-300}),
	StringSlice("list.empty", nil),
	Slice("list.mixed", StringValue("one"), IntValue(2), Float64Value(0.5), BoolValue(true), MapValue(Int("four", 4))),
	ByteSlice("bytes", []byte{0, 1, 254, 255}),
	Map("map",
		String("kind", "nested"),
		Map("depth", Slice("list", IntValue(1), StringValue("two"), BoolValue(false)), Map("empty"))),
	{Key: "nothing"},
}

func numbered(prefix string, count int) []KeyValue {
	attributes := make([]KeyValue, count)
	for index := range attributes {
		attributes[index] = Int(fmt.Sprintf("%s.%d", prefix, index+1), index+1)
	}
	return attributes
}

var limits = sdktrace.SpanLimits{
	AttributeValueLengthLimit:   -1,
	AttributeValueDepthLimit:    64,
	AttributeCountLimit:         32,
	EventCountLimit:             4,
	LinkCountLimit:              3,
	AttributePerEventCountLimit: 30,
	AttributePerLinkCountLimit:  4,
}

func contextOf(traceID, spanID string, flags trace.TraceFlags, state string, isRemote bool) trace.SpanContext {
	return trace.NewSpanContext(trace.SpanContextConfig{
		TraceID:    must(trace.TraceIDFromHex(traceID)),
		SpanID:     must(trace.SpanIDFromHex(spanID)),
		TraceFlags: flags,
		TraceState: must(trace.ParseTraceState(state)),
		Remote:     isRemote,
	})
}

var (
	caller = contextOf("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", trace.FlagsSampled,
		"rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", true)
	earlierAttempt = contextOf("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", trace.FlagsSampled,
		"vendor=opaque:1", true)
)

func unsampled(number int) trace.SpanContext {
	return contextOf("0af7651916cd43dd8448eb211c80319c", fmt.Sprintf("00f067aa0ba9020%d", number), 0, "", false)
}

// deadlock is what the database driver returned.
type deadlock struct{}

func (deadlock) Error() string { return "deadlock detected: „basket“ 💥" }

func tellSpans(ctx context.Context, tracers trace.TracerProvider) trace.Span {
	tracer := tracers.Tracer("headwater.story",
		trace.WithInstrumentationVersion("0.9.1"), trace.WithSchemaURL(schemaURL),
		trace.WithInstrumentationAttributes(String("story.teller", "tracer"), Int("story.part", 1)))
	plain := tracers.Tracer("headwater.plain")
	starting := func(nanoseconds int) trace.SpanStartOption { return trace.WithTimestamp(at(nanoseconds)) }
	ending := func(nanoseconds int) trace.SpanEndOption { return trace.WithTimestamp(at(nanoseconds)) }

	inCheckout, checkout := tracer.Start(trace.ContextWithRemoteSpanContext(ctx, caller), "POST /checkout",
		trace.WithSpanKind(trace.SpanKindServer), starting(0),
		trace.WithAttributes(String("http.request.method", "POST"), String("url.path", "/checkout"),
			Int("http.response.status_code", 200)),
		trace.WithLinks(
			trace.Link{SpanContext: earlierAttempt, Attributes: []KeyValue{
				String("link.reason", "retried"), Int("link.attempt", 2), BoolSlice("link.late", []bool{true, false}),
			}},
			trace.Link{SpanContext: unsampled(1)},
		))
	inPrice, price := tracer.Start(inCheckout, "price the basket", starting(1_000_001))
	price.SetAttributes(everyType...)
	_, query := tracer.Start(inPrice, "SELECT shop.basket", trace.WithSpanKind(trace.SpanKindClient),
		starting(2_000_000), trace.WithAttributes(String("db.system.name", "postgresql")))
	query.AddEvent("every type", trace.WithTimestamp(at(2_500_000)), trace.WithAttributes(everyType...))
	query.AddEvent("bare", trace.WithTimestamp(at(2_500_001)))
	query.RecordError(deadlock{}, trace.WithTimestamp(at(2_999_999)), trace.WithStackTrace(true))
	query.SetStatus(codes.Error, deadlock{}.Error())
	query.End(ending(3_000_000))
	_, cache := plain.Start(inPrice, "cache get", starting(3_100_000))
	cache.End(ending(3_200_000))
	price.End(ending(4_000_000))

	_, publish := tracer.Start(inCheckout, "orders publish", trace.WithSpanKind(trace.SpanKindProducer),
		starting(5_000_000), trace.WithAttributes(String("messaging.system", "mqtt")))
	publish.End(ending(6_000_000))
	_, process := tracer.Start(ctx, "orders process", trace.WithSpanKind(trace.SpanKindConsumer), starting(7_000_000),
		trace.WithLinks(trace.Link{
			SpanContext: publish.SpanContext(),
			Attributes:  []KeyValue{Int("messaging.batch.message_count", 1)},
		}))
	process.End(ending(8_000_000))

	var links []trace.Link
	for number := 1; number <= 5; number++ {
		links = append(links, trace.Link{SpanContext: unsampled(number), Attributes: numbered("link", 6)})
	}
	_, crowded := tracer.Start(inCheckout, "over the limits", starting(9_000_000), trace.WithLinks(links...))
	crowded.SetAttributes(numbered("attribute", 40)...)
	for number := 1; number <= 7; number++ {
		crowded.AddEvent(fmt.Sprintf("event %d", number), trace.WithTimestamp(at(9_000_000+number)),
			trace.WithAttributes(numbered("event", 35)...))
	}
	crowded.End(ending(9_500_000))

	_, nameless := tracer.Start(inCheckout, "", starting(9_700_000))
	nameless.End(ending(9_700_000))
	checkout.SetStatus(codes.Ok, "")
	checkout.End(ending(250_000_001))
	return query
}

func tellLogs(ctx context.Context, loggers log.LoggerProvider, query trace.Span) {
	logger := loggers.Logger("headwater.story",
		log.WithInstrumentationVersion("0.9.1"), log.WithSchemaURL(schemaURL),
		log.WithInstrumentationAttributes(String("story.teller", "logger"), Int("story.part", 2)))
	inQuery := trace.ContextWithSpan(ctx, query)
	tell := func(ctx context.Context, nanoseconds int, fill func(*log.Record)) {
		record := recordAt(at(nanoseconds))
		fill(&record)
		logger.Emit(ctx, record)
	}

	tell(inQuery, 1_000, func(record *log.Record) {
		record.SetSeverity(log.SeverityInfo)
		record.SetSeverityText("INFO")
		record.SetBody(StringValue("basket priced: żółć 🚀"))
		record.AddAttributes(everyType...)
	})
	tell(inQuery, 2_000, func(record *log.Record) {
		record.SetSeverity(log.SeverityError)
		record.SetSeverityText("ERROR")
		record.SetEventName("shop.checkout.failed")
		record.SetBody(StringValue("checkout failed"))
		record.SetErr(deadlock{})
	})
	tell(ctx, 3_000, func(record *log.Record) {
		record.SetSeverity(log.SeverityWarn2)
		record.SetSeverityText("warn")
		record.SetBody(MapValue(append(everyType[:len(everyType):len(everyType)], Map("deep", everyType...))...))
	})
	tell(ctx, 4_000, func(record *log.Record) {
		record.SetSeverity(log.SeverityDebug4)
		record.SetBody(SliceValue(StringValue("one"), IntValue(2), Float64Value(0.5), BoolValue(true), Value{},
			StringSliceValue([]string{"nested"})))
	})
	tell(ctx, 5_000, func(record *log.Record) { record.SetBody(ByteSliceValue([]byte{0, 1, 254, 255})) })
	tell(ctx, 6_000, func(record *log.Record) {
		record.SetSeverity(log.SeverityFatal4)
		record.SetBody(IntValue(42))
	})
	tell(ctx, 7_000, func(record *log.Record) { record.SetBody(BoolValue(false)) })
	tell(ctx, 8_000, func(record *log.Record) { record.SetEventName("shop.basket.emptied") })
	tell(ctx, 9_000, func(record *log.Record) {
		record.SetBody(StringValue("over the limits"))
		record.AddAttributes(numbered("attribute", 40)...)
	})
	var timeless log.Record
	timeless.SetBody(StringValue("when it happened is unknown"))
	timeless.SetObservedTimestamp(at(10_000))
	logger.Emit(ctx, timeless)
}

func tellStory(ctx context.Context) {
	tracers := sdktrace.NewTracerProvider(append(
		withSpansTo(ctx, "story-traces", "protobuf", "protobuf-gzip", "json", "json-gzip"),
		sdktrace.WithResource(storyResource), sdktrace.WithRawSpanLimits(limits))...)
	loggers := sdklog.NewLoggerProvider(append(
		withLogsTo(ctx, "story-logs", "protobuf", "protobuf-gzip"),
		sdklog.WithResource(storyResource), sdklog.WithAttributeCountLimit(32))...)
	tellLogs(ctx, loggers, tellSpans(ctx, tracers))
	stopOn(tracers.Shutdown(ctx))
	stopOn(loggers.Shutdown(ctx))
}
