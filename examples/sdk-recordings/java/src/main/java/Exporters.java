import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.logs.LogRecordProcessor;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.trace.SpanProcessor;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import java.time.Duration;

/** The same spans and records leave plain and compressed, so that one recording can be held against another. */
final class Exporters {
  // Large enough that one recording is one request.
  private static final int BATCH_MAX = 2_048;
  private static final Duration BATCH_DELAY = Duration.ofMinutes(10);
  private static final String ENDPOINT = System.getenv("OTEL_EXPORTER_OTLP_ENDPOINT");

  private Exporters() {}

  static SpanProcessor spans(String name, String compression) {
    return BatchSpanProcessor.builder(
            OtlpHttpSpanExporter.builder()
                .setEndpoint(ENDPOINT + "/v1/traces")
                .setCompression(compression)
                .addHeader("recording", recording(name, compression))
                .build())
        .setMaxQueueSize(BATCH_MAX)
        .setMaxExportBatchSize(BATCH_MAX)
        .setScheduleDelay(BATCH_DELAY)
        .build();
  }

  static LogRecordProcessor logs(String name, String compression) {
    return BatchLogRecordProcessor.builder(
            OtlpHttpLogRecordExporter.builder()
                .setEndpoint(ENDPOINT + "/v1/logs")
                .setCompression(compression)
                .addHeader("recording", recording(name, compression))
                .build())
        .setMaxQueueSize(BATCH_MAX)
        .setMaxExportBatchSize(BATCH_MAX)
        .setScheduleDelay(BATCH_DELAY)
        .build();
  }

  private static String recording(String name, String compression) {
    return "java-" + name + "-protobuf" + (compression.equals("none") ? "" : "-" + compression);
  }
}
