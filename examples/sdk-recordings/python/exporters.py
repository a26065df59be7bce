"""The same spans and records leave in each of the encodings, so that one recording can be held against another."""

from opentelemetry.exporter.otlp.common.http import Compression
from opentelemetry.exporter.otlp.json.http._log_exporter import OTLPLogExporter as JsonLogExporter
from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter as JsonSpanExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as ProtobufLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as ProtobufSpanExporter
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor

SPAN_EXPORTERS = {"protobuf": ProtobufSpanExporter, "json": JsonSpanExporter}
LOG_EXPORTERS = {"protobuf": ProtobufLogExporter, "json": JsonLogExporter}
COMPRESSIONS = {"": Compression.NONE, "-gzip": Compression.GZIP}

# Large enough that one recording is one request.
BATCH = {"max_export_batch_size": 2_048, "max_queue_size": 2_048, "schedule_delay_millis": 600_000}


def exporter(exporters, name, variant):
    encoding, dash, compression = variant.partition("-")
    return exporters[encoding](
        compression=COMPRESSIONS[dash + compression], headers={"recording": f"python-{name}-{variant}"}
    )


def span_processors(name, variants):
    """A processor for every variant, such as "protobuf-gzip", of the recording."""
    return [BatchSpanProcessor(exporter(SPAN_EXPORTERS, name, variant), **BATCH) for variant in variants]


def log_processors(name, variants):
    """The same for log records."""
    return [BatchLogRecordProcessor(exporter(LOG_EXPORTERS, name, variant), **BATCH) for variant in variants]


EVERY_VARIANT = ("protobuf", "protobuf-gzip", "json", "json-gzip")
