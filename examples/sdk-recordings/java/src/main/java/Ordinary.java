import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Logger;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** What an instrumented service sends all day: requests with their queries, a consumer that takes batches. */
final class Ordinary {
  private static final int REQUESTS = 40;
  private static final long START_NS = 1_795_741_200_000_000_000L;
  private static final String VERSION = "2.24.0-alpha";

  private static final Resource RESOURCE =
      Resource.getDefault()
          .merge(
              Resource.create(
                  Attributes.builder()
                      .put("service.name", "orders")
                      .put("service.namespace", "shop")
                      .put("service.version", "1.0.0-SNAPSHOT")
                      .put("service.instance.id", "c1cf2a5e-6a0e-4a0e-8d2e-1b3f0e6c7a55")
                      .put("deployment.environment.name", "production")
                      .put("host.name", "orders-3")
                      .put("os.type", "linux")
                      .put("process.pid", 1)
                      .put("process.runtime.name", "OpenJDK Runtime Environment")
                      .put("process.command_args", "java", "-Xmx512m", "-jar", "orders.jar")
                      .put("telemetry.distro.name", "opentelemetry-java-instrumentation")
                      .build()));

  private final Random chance = new Random(11);
  private final Tracer tomcat;
  private final Tracer spring;
  private final Tracer jdbc;
  private final Tracer kafka;
  private final Logger logger;
  private long now = START_NS;

  private Ordinary(SdkTracerProvider tracers, SdkLoggerProvider loggers) {
    tomcat = tracers.get("io.opentelemetry.tomcat-10.0", VERSION);
    spring = tracers.get("io.opentelemetry.spring-webmvc-6.0", VERSION);
    jdbc = tracers.get("io.opentelemetry.jdbc", VERSION);
    kafka = tracers.get("io.opentelemetry.kafka-clients-2.6", VERSION);
    logger = loggers.get("shop.orders.OrderController");
  }

  private long lasting(int shortestUs, int longestUs) {
    now += (shortestUs + chance.nextInt(longestUs - shortestUs)) * 1_000L;
    return now;
  }

  private void query(Context parent, String operation, String table) {
    Span query =
        jdbc.spanBuilder(operation + " orders." + table)
            .setParent(parent)
            .setSpanKind(SpanKind.CLIENT)
            .setStartTimestamp(lasting(5, 60), NANOSECONDS)
            .setAttribute("db.system", "postgresql")
            .setAttribute("db.name", "orders")
            .setAttribute("db.operation", operation)
            .setAttribute("db.sql.table", table)
            .setAttribute("db.statement", operation.toLowerCase() + " … " + table + " … where id = ?")
            .setAttribute("server.address", "db.internal")
            .setAttribute("server.port", 5432)
            .setAttribute("thread.id", 41L + chance.nextInt(8))
            .setAttribute("thread.name", "http-nio-8080-exec-" + chance.nextInt(8))
            .startSpan();
    query.end(lasting(300, 9_000), NANOSECONDS);
  }

  /** A request; answers where the message that it published can be found. */
  private SpanContext serve() {
    boolean isFailing = chance.nextDouble() < 0.07;
    Span server =
        tomcat
            .spanBuilder("POST /orders/{id}/items")
            .setNoParent()
            .setSpanKind(SpanKind.SERVER)
            .setStartTimestamp(now, NANOSECONDS)
            .setAttribute("http.request.method", "POST")
            .setAttribute("http.route", "/orders/{id}/items")
            .setAttribute("url.scheme", "http")
            .setAttribute("url.path", "/orders/" + chance.nextInt(90_000) + "/items")
            .setAttribute("client.address", "10.0.3." + chance.nextInt(256))
            .setAttribute("network.peer.port", 32_768 + chance.nextInt(28_000))
            .setAttribute("network.protocol.version", "1.1")
            .setAttribute("user_agent.original", "undici")
            .startSpan();
    Context inServer = Context.root().with(server);
    Span controller =
        spring
            .spanBuilder("OrderController.addItem")
            .setParent(inServer)
            .setStartTimestamp(lasting(50, 300), NANOSECONDS)
            .setAttribute("code.function.name", "shop.orders.OrderController.addItem")
            .startSpan();
    Context inController = inServer.with(controller);
    query(inController, "SELECT", "order_head");
    query(inController, "INSERT", "order_item");
    Span publish =
        kafka
            .spanBuilder("order-items publish")
            .setParent(inController)
            .setSpanKind(SpanKind.PRODUCER)
            .setStartTimestamp(lasting(5, 20), NANOSECONDS)
            .setAttribute("messaging.system", "kafka")
            .setAttribute("messaging.destination.name", "order-items")
            .setAttribute("messaging.destination.partition.id", String.valueOf(chance.nextInt(12)))
            .setAttribute("messaging.operation", "publish")
            .setAttribute("messaging.client_id", "producer-1")
            .startSpan();
    publish.end(lasting(20, 400), NANOSECONDS);
    if (isFailing) {
      controller.addEvent(
          "exception",
          Attributes.builder()
              .put("exception.type", "org.springframework.dao.OptimisticLockingFailureException")
              .put("exception.message", "Row was updated by another transaction")
              .put(
                  "exception.stacktrace",
                  "org.springframework.dao.OptimisticLockingFailureException: Row was updated by another transaction\n"
                      + "\tat shop.orders.OrderController.addItem(OrderController.java:88)\n")
              .build(),
          now,
          NANOSECONDS);
      controller.setStatus(StatusCode.ERROR);
      server.setStatus(StatusCode.ERROR);
    }
    server.setAttribute("http.response.status_code", isFailing ? 500 : 201);
    logger
        .logRecordBuilder()
        .setContext(inController)
        .setTimestamp(now, NANOSECONDS)
        .setObservedTimestamp(now + 2_000, NANOSECONDS)
        .setSeverity(isFailing ? Severity.ERROR : Severity.INFO)
        .setSeverityText(isFailing ? "ERROR" : "INFO")
        .setBody(isFailing ? "item was not added" : "item added")
        .setAttribute("thread.name", "http-nio-8080-exec-" + chance.nextInt(8))
        .emit();
    controller.end(lasting(5, 50), NANOSECONDS);
    server.end(lasting(10, 90), NANOSECONDS);
    return publish.getSpanContext();
  }

  private void consume(List<SpanContext> messages) {
    var building =
        kafka
            .spanBuilder("order-items process")
            .setNoParent()
            .setSpanKind(SpanKind.CONSUMER)
            .setStartTimestamp(lasting(200, 3_000), NANOSECONDS)
            .setAttribute("messaging.system", "kafka")
            .setAttribute("messaging.destination.name", "order-items")
            .setAttribute("messaging.operation", "process")
            .setAttribute("messaging.batch.message_count", messages.size());
    messages.forEach(building::addLink);
    Span process = building.startSpan();
    query(Context.root().with(process), "UPDATE", "stock");
    process.end(lasting(5, 50), NANOSECONDS);
  }

  public static void main(String[] arguments) {
    try (SdkTracerProvider tracers =
            SdkTracerProvider.builder()
                .setResource(RESOURCE)
                .addSpanProcessor(Exporters.spans("ordinary-traces", "gzip"))
                .build();
        SdkLoggerProvider loggers =
            SdkLoggerProvider.builder()
                .setResource(RESOURCE)
                .addLogRecordProcessor(Exporters.logs("ordinary-logs", "gzip"))
                .build()) {
      Ordinary orders = new Ordinary(tracers, loggers);
      List<SpanContext> messages = new ArrayList<>();
      for (int request = 0; request < REQUESTS; request += 1) {
        messages.add(orders.serve());
        if (messages.size() == 10) {
          orders.consume(messages);
          messages.clear();
        }
      }
    }
  }
}
