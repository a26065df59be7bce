import static io.opentelemetry.api.common.AttributeKey.booleanArrayKey;
import static io.opentelemetry.api.common.AttributeKey.doubleArrayKey;
import static io.opentelemetry.api.common.AttributeKey.longArrayKey;
import static io.opentelemetry.api.common.AttributeKey.longKey;
import static io.opentelemetry.api.common.AttributeKey.stringArrayKey;
import static io.opentelemetry.api.common.AttributeKey.stringKey;
import static io.opentelemetry.api.common.AttributeKey.valueKey;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.logs.LogRecordBuilder;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.common.Clock;
import io.opentelemetry.sdk.logs.LogLimits;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.SpanLimits;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** The story that each SDK tells as far as it can; README.md beside the recordings says what is in it. */
final class Story {
  private static final String SCHEMA_URL = "https://opentelemetry.io/schemas/1.40.0";
  private static final long START_NS = 1_795_741_200_123_456_789L;

  private static final Resource RESOURCE =
      Resource.create(
          Attributes.builder()
              .put("service.name", "shop")
              .put("service.namespace", "headwater")
              .put("service.version", "1.2.3-ß")
              .put("service.instance.id", "627cc493-f310-47de-96bd-71410b7dec09")
              .put("deployment.environment.name", "recording")
              .put("shop.shards", 3)
              .put("shop.canary", true)
              .put("shop.load", 0.75)
              .put(stringArrayKey("shop.regions"), "eu-north", "eu-south")
              .put(longArrayKey("shop.ports"), 8080L, 8443L)
              .build(),
          SCHEMA_URL);

  private static final Attributes EVERY_TYPE =
      Attributes.builder()
          .put("text.plain", "plain")
          .put("text.empty", "")
          .put("text.unicode", "żółć 漢字 🚀 e\u0301")
          .put("text.control", "tab\tline\nbell\u0007escape\u001bdelete\u007f")
          .put("bool.true", true)
          .put("bool.false", false)
          .put("int.zero", 0)
          .put("int.negative", -42)
          .put("int.largest", Long.MAX_VALUE)
          .put("int.smallest", Long.MIN_VALUE)
          .put("double.fraction", 0.1)
          .put("double.whole", 2.0)
          .put("double.negative_zero", -0.0)
          .put("double.largest", Double.MAX_VALUE)
          .put("double.smallest", Double.MIN_VALUE)
          .put("double.nan", Double.NaN)
          .put("double.infinity", Double.POSITIVE_INFINITY)
          .put("double.minus_infinity", Double.NEGATIVE_INFINITY)
          .put(stringArrayKey("list.text"), "a", "", "🚀")
          .put(booleanArrayKey("list.bool"), true, false)
          .put(longArrayKey("list.int"), -1L, 0L, Long.MAX_VALUE)
          .put(doubleArrayKey("list.double"), 0.1, -2.5, 1e-300)
          .put(stringArrayKey("list.empty"), List.of())
          .put(
              valueKey("list.mixed"),
              Value.of(
                  Value.of("one"), Value.of(2), Value.of(0.5), Value.of(true), Value.of(Map.of("four", Value.of(4)))))
          .put(valueKey("bytes"), Value.of(new byte[] {0, 1, -2, -1}))
          .put(
              valueKey("map"),
              inOrder(
                  "kind",
                  Value.of("nested"),
                  "depth",
                  inOrder(
                      "list", Value.of(Value.of(1), Value.of("two"), Value.of(false)), "empty", Value.of(Map.of()))))
          .put(valueKey("nothing"), Value.empty())
          .build();

  private static final SpanLimits SPAN_LIMITS =
      SpanLimits.builder()
          .setMaxNumberOfAttributes(32)
          .setMaxNumberOfEvents(4)
          .setMaxNumberOfLinks(3)
          .setMaxNumberOfAttributesPerEvent(30)
          .setMaxNumberOfAttributesPerLink(4)
          .build();

  private static final SpanContext CALLER =
      SpanContext.createFromRemoteParent(
          "4bf92f3577b34da6a3ce929d0e0e4736",
          "00f067aa0ba902b7",
          TraceFlags.getSampled(),
          TraceState.builder().put("congo", "t61rcWkgMzE").put("rojo", "00f067aa0ba902b7").build());
  private static final SpanContext EARLIER_ATTEMPT =
      SpanContext.createFromRemoteParent(
          "0af7651916cd43dd8448eb211c80319c",
          "b7ad6b7169203331",
          TraceFlags.getSampled(),
          TraceState.builder().put("vendor", "opaque:1").build());

  /** What the database driver threw. */
  private static final class Deadlock extends RuntimeException {
    private static final long serialVersionUID = 1;

    Deadlock() {
      super("deadlock detected: „basket“ 💥");
    }
  }

  /** A clock that shows a moment of the story, for what the SDK lets nobody date. */
  private static final class StoryClock implements Clock {
    private long nanoseconds;

    @Override
    public long now() {
      return at(nanoseconds);
    }

    @Override
    public long nanoTime() {
      return nanoseconds;
    }
  }

  private static final StoryClock CLOCK = new StoryClock();

  private Story() {}

  /** A moment of the story, so many nanoseconds after it began: 2026-11-27T01:00:00.123456789Z. */
  private static long at(long nanoseconds) {
    return START_NS + nanoseconds;
  }

  private static Value<?> inOrder(String firstKey, Value<?> first, String secondKey, Value<?> second) {
    Map<String, Value<?>> entries = new LinkedHashMap<>();
    entries.put(firstKey, first);
    entries.put(secondKey, second);
    return Value.of(entries);
  }

  private static Attributes numbered(String prefix, int count) {
    AttributesBuilder attributes = Attributes.builder();
    IntStream.rangeClosed(1, count).forEach(number -> attributes.put(longKey(prefix + "." + number), number));
    return attributes.build();
  }

  private static SpanContext unsampled(int number) {
    return SpanContext.create(
        EARLIER_ATTEMPT.getTraceId(), "00f067aa0ba9020" + number, TraceFlags.getDefault(), TraceState.getDefault());
  }

  private static Span tellSpans(SdkTracerProvider tracers) {
    Tracer tracer =
        tracers.tracerBuilder("headwater.story").setInstrumentationVersion("0.9.1").setSchemaUrl(SCHEMA_URL).build();
    Tracer plain = tracers.get("headwater.plain");

    Span checkout =
        tracer
            .spanBuilder("POST /checkout")
            .setParent(Context.root().with(Span.wrap(CALLER)))
            .setSpanKind(SpanKind.SERVER)
            .setStartTimestamp(at(0), NANOSECONDS)
            .setAttribute("http.request.method", "POST")
            .setAttribute("url.path", "/checkout")
            .setAttribute("http.response.status_code", 200)
            .addLink(
                EARLIER_ATTEMPT,
                Attributes.builder()
                    .put("link.reason", "retried")
                    .put("link.attempt", 2)
                    .put(booleanArrayKey("link.late"), true, false)
                    .build())
            .addLink(unsampled(1))
            .startSpan();
    Context inCheckout = Context.root().with(checkout);
    Span price =
        tracer
            .spanBuilder("price the basket")
            .setParent(inCheckout)
            .setStartTimestamp(at(1_000_001), NANOSECONDS)
            .startSpan();
    price.setAllAttributes(EVERY_TYPE);
    Context inPrice = Context.root().with(price);
    Span query =
        tracer
            .spanBuilder("SELECT shop.basket")
            .setParent(inPrice)
            .setSpanKind(SpanKind.CLIENT)
            .setStartTimestamp(at(2_000_000), NANOSECONDS)
            .setAttribute(stringKey("db.system.name"), "postgresql")
            .startSpan();
    query.addEvent("every type", EVERY_TYPE, at(2_500_000), NANOSECONDS);
    query.addEvent("bare", at(2_500_001), NANOSECONDS);
    Deadlock deadlock = new Deadlock();
    CLOCK.nanoseconds = 2_999_999;
    query.recordException(deadlock);
    query.setStatus(StatusCode.ERROR, deadlock.getMessage());
    query.end(at(3_000_000), NANOSECONDS);
    Span cache =
        plain.spanBuilder("cache get").setParent(inPrice).setStartTimestamp(at(3_100_000), NANOSECONDS).startSpan();
    cache.end(at(3_200_000), NANOSECONDS);
    price.end(at(4_000_000), NANOSECONDS);

    Span publish =
        tracer
            .spanBuilder("orders publish")
            .setParent(inCheckout)
            .setSpanKind(SpanKind.PRODUCER)
            .setStartTimestamp(at(5_000_000), NANOSECONDS)
            .setAttribute("messaging.system", "mqtt")
            .startSpan();
    publish.end(at(6_000_000), NANOSECONDS);
    Span process =
        tracer
            .spanBuilder("orders process")
            .setNoParent()
            .setSpanKind(SpanKind.CONSUMER)
            .setStartTimestamp(at(7_000_000), NANOSECONDS)
            .addLink(publish.getSpanContext(), Attributes.of(longKey("messaging.batch.message_count"), 1L))
            .startSpan();
    process.end(at(8_000_000), NANOSECONDS);

    SpanBuilder crowding =
        tracer.spanBuilder("over the limits").setParent(inCheckout).setStartTimestamp(at(9_000_000), NANOSECONDS);
    IntStream.rangeClosed(1, 5).forEach(number -> crowding.addLink(unsampled(number), numbered("link", 6)));
    Span crowded = crowding.startSpan();
    crowded.setAllAttributes(numbered("attribute", 40));
    IntStream.rangeClosed(1, 7)
        .forEach(
            number ->
                crowded.addEvent("event " + number, numbered("event", 35), at(9_000_000 + number), NANOSECONDS));
    crowded.end(at(9_500_000), NANOSECONDS);

    Span nameless =
        tracer.spanBuilder("").setParent(inCheckout).setStartTimestamp(at(9_700_000), NANOSECONDS).startSpan();
    nameless.end(at(9_700_000), NANOSECONDS);
    checkout.setStatus(StatusCode.OK);
    checkout.end(at(250_000_001), NANOSECONDS);
    return query;
  }

  private static void tellLogs(SdkLoggerProvider loggers, Span query) {
    Logger logger =
        loggers
            .loggerBuilder("headwater.story")
            .setInstrumentationVersion("0.9.1")
            .setSchemaUrl(SCHEMA_URL)
            .build();
    Context inQuery = Context.root().with(query);

    record(logger, 1_000)
        .setContext(inQuery)
        .setSeverity(Severity.INFO)
        .setSeverityText("INFO")
        .setBody("basket priced: żółć 🚀")
        .setAllAttributes(EVERY_TYPE)
        .emit();
    record(logger, 2_000)
        .setContext(inQuery)
        .setSeverity(Severity.ERROR)
        .setSeverityText("ERROR")
        .setEventName("shop.checkout.failed")
        .setBody("checkout failed")
        .setException(new Deadlock())
        .emit();
    Map<String, Value<?>> body = new LinkedHashMap<>();
    body.put("text", Value.of("żółć 🚀"));
    body.put("largest", Value.of(Long.MAX_VALUE));
    body.put("nan", Value.of(Double.NaN));
    body.put("bytes", Value.of(new byte[] {0, 1, -2, -1}));
    body.put("nothing", Value.empty());
    body.put("deep", EVERY_TYPE.get(valueKey("map")));
    record(logger, 3_000).setSeverity(Severity.WARN2).setSeverityText("warn").setBody(Value.of(body)).emit();
    record(logger, 4_000)
        .setSeverity(Severity.DEBUG4)
        .setBody(
            Value.of(
                Value.of("one"),
                Value.of(2),
                Value.of(0.5),
                Value.of(true),
                Value.empty(),
                Value.of(Value.of("nested"))))
        .emit();
    record(logger, 5_000).setBody(Value.of(new byte[] {0, 1, -2, -1})).emit();
    record(logger, 6_000).setSeverity(Severity.FATAL4).setSeverityText("").setBody(Value.of(42)).emit();
    record(logger, 7_000).setBody(Value.of(false)).emit();
    record(logger, 8_000).setEventName("shop.basket.emptied").emit();
    record(logger, 9_000).setBody("over the limits").setAllAttributes(numbered("attribute", 40)).emit();
    logger
        .logRecordBuilder()
        .setContext(Context.root())
        .setObservedTimestamp(at(10_000), NANOSECONDS)
        .setBody("when it happened is unknown")
        .emit();
  }

  private static LogRecordBuilder record(Logger logger, long nanoseconds) {
    return logger
        .logRecordBuilder()
        .setContext(Context.root())
        .setTimestamp(at(nanoseconds), NANOSECONDS)
        .setObservedTimestamp(at(nanoseconds + 500), NANOSECONDS);
  }

  public static void main(String[] arguments) {
    try (SdkTracerProvider tracers =
            SdkTracerProvider.builder()
                .setClock(CLOCK)
                .setResource(RESOURCE)
                .setSpanLimits(SPAN_LIMITS)
                .addSpanProcessor(Exporters.spans("story-traces", "none"))
                .addSpanProcessor(Exporters.spans("story-traces", "gzip"))
                .build();
        SdkLoggerProvider loggers =
            SdkLoggerProvider.builder()
                .setResource(RESOURCE)
                .setLogLimits(() -> LogLimits.builder().setMaxNumberOfAttributes(32).build())
                .addLogRecordProcessor(Exporters.logs("story-logs", "none"))
                .addLogRecordProcessor(Exporters.logs("story-logs", "gzip"))
                .build()) {
      tellLogs(loggers, tellSpans(tracers));
    }
  }
}
