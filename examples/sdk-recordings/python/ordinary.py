"""What an instrumented web service sends all day: a server span, its view, cache look-ups, a query, a message."""

import random

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from exporters import log_processors, span_processors

REQUESTS = 60
START_NS = 1_795_741_200_000_000_000

RESOURCE = Resource.create(
    {
        "service.name": "catalogue",
        "service.namespace": "shop",
        "service.version": "2.0.0rc1",
        "service.instance.id": "5b6f0d52-44f6-4cb3-bf2e-70fbfa8e1c9d",
        "deployment.environment.name": "production",
        "host.name": "catalogue-2",
        "os.type": "linux",
        "process.pid": 77,
        "process.runtime.name": "cpython",
        "cloud.provider": "aws",
        "cloud.region": "eu-north-1",
        "cloud.availability_zone": "eu-north-1b",
        "container.id": "1f9cf9ee4fc1c5b6ae4c0bcba46c4b5a8fc2f7b3d1f4d0a5e3b0a9a1cbf0d6e2",
    }
)

ROUTES = ("products/<int:pk>/", "products/", "categories/<slug:slug>/", "search/")

tracers = TracerProvider(resource=RESOURCE)
for processor in span_processors("ordinary-traces", ("protobuf", "json-gzip")):
    tracers.add_span_processor(processor)
loggers = LoggerProvider(resource=RESOURCE)
for processor in log_processors("ordinary-logs", ("json-gzip",)):
    loggers.add_log_record_processor(processor)

django = tracers.get_tracer(
    "opentelemetry.instrumentation.django", "0.66b2", schema_url="https://opentelemetry.io/schemas/1.11.0"
)
redis = tracers.get_tracer("opentelemetry.instrumentation.redis", "0.66b2")
psycopg = tracers.get_tracer("opentelemetry.instrumentation.psycopg", "0.66b2")
kafka = tracers.get_tracer("opentelemetry.instrumentation.confluent_kafka", "0.66b2")
logger = loggers.get_logger("catalogue.views")


def serve(chance, start):
    """One request that came in at a time in nanoseconds."""
    route = chance.choice(ROUTES)
    is_failing = chance.random() < 0.08
    # The older names of the semantic conventions, which many services still send.
    server = django.start_span(
        f"GET {route}",
        Context(),
        SpanKind.SERVER,
        {
            "http.method": "GET",
            "http.scheme": "http",
            "http.host": "catalogue:8000",
            "http.target": f"/{route}?page={chance.randrange(40)}",
            "http.flavor": "1.1",
            "http.user_agent": "storefront/4.11.0",
            "net.host.port": 8000,
            "net.peer.ip": f"10.0.{chance.randrange(8)}.{chance.randrange(256)}",
            "enduser.id": f"u-{chance.randrange(2_000)}",
        },
        start_time=start,
    )
    inside = set_span_in_context(server, Context())
    now = start + 200_000
    for _ in range(chance.randrange(1, 4)):
        look_up = redis.start_span(
            "GET",
            inside,
            SpanKind.CLIENT,
            {
                "db.system": "redis",
                "db.statement": "GET ?",
                "db.redis.database_index": 0,
                "net.peer.name": "cache",
                "net.peer.port": 6379,
                "db.redis.args_length": 2,
            },
            start_time=now,
        )
        now += chance.randrange(80_000, 900_000)
        look_up.end(now)
    query = psycopg.start_span(
        "SELECT",
        inside,
        SpanKind.CLIENT,
        {
            "db.system": "postgresql",
            "db.name": "catalogue",
            "db.user": "catalogue",
            "db.statement": "SELECT id, title, price FROM products_product WHERE category_id = %s ORDER BY title LIMIT 50",
            "net.peer.name": "db.internal",
            "net.peer.port": 5432,
        },
        start_time=now,
    )
    now += chance.randrange(300_000, 20_000_000)
    if is_failing:
        error = TimeoutError("canceling statement due to statement timeout")
        query.record_exception(error, timestamp=now)
        query.set_status(Status(StatusCode.ERROR, f"TimeoutError: {error}"))
    query.end(now)
    if chance.random() < 0.3:
        publish = kafka.start_span(
            "product-views publish",
            inside,
            SpanKind.PRODUCER,
            {
                "messaging.system": "kafka",
                "messaging.destination.name": "product-views",
                "messaging.kafka.partition": 3,
            },
            start_time=now,
        )
        now += chance.randrange(20_000, 60_000)
        publish.end(now)
    server.set_attributes({"http.route": route, "http.status_code": 500 if is_failing else 200})
    if is_failing:
        server.set_status(StatusCode.ERROR)
    logger.emit(
        LogRecord(
            timestamp=now,
            observed_timestamp=now + 1_000,
            context=inside,
            severity_number=SeverityNumber.ERROR if is_failing else SeverityNumber.INFO,
            severity_text="ERROR" if is_failing else "INFO",
            body=f"GET /{route} {500 if is_failing else 200}",
            attributes={"http.route": route, "duration": (now - start) / 1e9},
        )
    )
    server.end(now + 90_000)


chance = random.Random(5)
for request in range(REQUESTS):
    serve(chance, START_NS + request * 31_000_000 + chance.randrange(9_000_000))
tracers.shutdown()
loggers.shutdown()
