"""The story that each SDK tells as far as it can; README.md beside the recordings says what is in it."""

import logging
import math
import sys

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.instrumentation.logging.handler import LoggingHandler
from opentelemetry.sdk._logs import LoggerProvider, LogRecordLimits
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from exporters import EVERY_VARIANT, log_processors, span_processors

SCHEMA_URL = "https://opentelemetry.io/schemas/1.40.0"
START_NS = 1_795_741_200_123_456_789

RESOURCE = Resource(
    {
        "service.name": "shop",
        "service.namespace": "headwater",
        "service.version": "1.2.3-ß",
        "service.instance.id": "627cc493-f310-47de-96bd-71410b7dec09",
        "deployment.environment.name": "recording",
        "shop.shards": 3,
        "shop.canary": True,
        "shop.load": 0.75,
        "shop.regions": ["eu-north", "eu-south"],
        "shop.ports": [8080, 8443],
    },
    SCHEMA_URL,
)

EVERY_TYPE = {
    "text.plain": "plain",
    "text.empty": "",
    "text.unicode": "żółć 漢字 🚀 e\u0301",
    "text.control": "tab\tline\nbell\u0007escape\u001bdelete\u007f",
    "bool.true": True,
    "bool.false": False,
    "int.zero": 0,
    "int.negative": -42,
    "int.largest": 2**63 - 1,
    "int.smallest": -(2**63),
    "double.fraction": 0.1,
    "double.whole": 2.0,
    "double.negative_zero": -0.0,
    "double.largest": sys.float_info.max,
    "double.smallest": 5e-324,
    "double.nan": math.nan,
    "double.infinity": math.inf,
    "double.minus_infinity": -math.inf,
    "list.text": ["a", "", "🚀"],
    "list.bool": [True, False],
    "list.int": [-1, 0, 2**63 - 1],
    "list.double": [0.1, -2.5, 1e-300],
    "list.empty": [],
    "list.mixed": ["one", 2, 0.5, True, {"four": 4}],
    "bytes": bytes([0, 1, 254, 255]),
    "map": {"kind": "nested", "depth": {"list": [1, "two", False], "empty": {}}},
    "nothing": None,
}

LIMITS = SpanLimits(max_span_attributes=32, max_events=4, max_links=3, max_event_attributes=30, max_link_attributes=4)

CALLER = SpanContext(
    0x4BF92F3577B34DA6A3CE929D0E0E4736,
    0x00F067AA0BA902B7,
    is_remote=True,
    trace_flags=TraceFlags(1),
    trace_state=TraceState([("rojo", "00f067aa0ba902b7"), ("congo", "t61rcWkgMzE")]),
)
EARLIER_ATTEMPT = SpanContext(
    0x0AF7651916CD43DD8448EB211C80319C,
    0xB7AD6B7169203331,
    is_remote=True,
    trace_flags=TraceFlags(1),
    trace_state=TraceState([("vendor", "opaque:1")]),
)


def unsampled(number):
    return SpanContext(EARLIER_ATTEMPT.trace_id, 0x00F067AA0BA90200 + number, is_remote=False)


def at(nanoseconds):
    """A moment of the story, so many nanoseconds after it began: 2026-11-27T01:00:00.123456789Z."""
    return START_NS + nanoseconds


def numbered(prefix, count):
    return {f"{prefix}.{number}": number for number in range(1, count + 1)}


def shop(function):
    """A stack trace names no folder of the machine that the recording was made on."""
    function.__code__ = function.__code__.replace(co_filename="/srv/shop/basket.py")
    return function


@shop
def read_basket():
    raise OverflowError("deadlock detected: „basket“ 💥")


@shop
def deadlock():
    """What the database driver threw, with the frames that a caught exception has."""
    try:
        read_basket()
    except OverflowError as error:
        return error


def tell_spans(tracers):
    tracer = tracers.get_tracer(
        "headwater.story", "0.9.1", schema_url=SCHEMA_URL, attributes={"story.teller": "tracer", "story.part": 1}
    )
    plain = tracers.get_tracer("headwater.plain")

    def inside(span):
        return set_span_in_context(span, Context())

    checkout = tracer.start_span(
        "POST /checkout",
        set_span_in_context(NonRecordingSpan(CALLER), Context()),
        SpanKind.SERVER,
        {"http.request.method": "POST", "url.path": "/checkout", "http.response.status_code": 200},
        [
            Link(EARLIER_ATTEMPT, {"link.reason": "retried", "link.attempt": 2, "link.late": [True, False]}),
            Link(unsampled(1)),
        ],
        at(0),
    )
    price = tracer.start_span("price the basket", inside(checkout), start_time=at(1_000_001))
    price.set_attributes(EVERY_TYPE)
    query = tracer.start_span(
        "SELECT shop.basket", inside(price), SpanKind.CLIENT, {"db.system.name": "postgresql"}, start_time=at(2_000_000)
    )
    query.add_event("every type", EVERY_TYPE, at(2_500_000))
    query.add_event("bare", timestamp=at(2_500_001))
    error = deadlock()
    query.record_exception(error, timestamp=at(2_999_999))
    query.set_status(Status(StatusCode.ERROR, str(error)))
    query.end(at(3_000_000))
    cache = plain.start_span("cache get", inside(price), start_time=at(3_100_000))
    cache.end(at(3_200_000))
    price.end(at(4_000_000))

    publish = tracer.start_span(
        "orders publish", inside(checkout), SpanKind.PRODUCER, {"messaging.system": "mqtt"}, start_time=at(5_000_000)
    )
    publish.end(at(6_000_000))
    process = tracer.start_span(
        "orders process",
        Context(),
        SpanKind.CONSUMER,
        links=[Link(publish.get_span_context(), {"messaging.batch.message_count": 1})],
        start_time=at(7_000_000),
    )
    process.end(at(8_000_000))

    crowded = tracer.start_span(
        "over the limits",
        inside(checkout),
        links=[Link(unsampled(number), numbered("link", 6)) for number in range(1, 6)],
        start_time=at(9_000_000),
    )
    crowded.set_attributes(numbered("attribute", 40))
    for number in range(1, 8):
        crowded.add_event(f"event {number}", numbered("event", 35), at(9_000_000 + number))
    crowded.end(at(9_500_000))

    nameless = tracer.start_span("", inside(checkout), start_time=at(9_700_000))
    nameless.end(at(9_700_000))
    checkout.set_status(StatusCode.OK)
    checkout.end(at(250_000_001))
    return query


def tell_logs(loggers, query):
    logger = loggers.get_logger(
        "headwater.story", "0.9.1", SCHEMA_URL, attributes={"story.teller": "logger", "story.part": 2}
    )
    context = set_span_in_context(query, Context())

    def tell(moment, **fields):
        fields = {"context": Context(), **fields}
        logger.emit(LogRecord(timestamp=at(moment), observed_timestamp=at(moment + 500), **fields))

    tell(
        1_000,
        severity_number=SeverityNumber.INFO,
        severity_text="INFO",
        body="basket priced: żółć 🚀",
        attributes=EVERY_TYPE,
        context=context,
    )
    tell(
        2_000,
        severity_number=SeverityNumber.ERROR,
        severity_text="ERROR",
        event_name="shop.checkout.failed",
        body="checkout failed",
        exception=deadlock(),
        context=context,
    )
    tell(3_000, severity_number=SeverityNumber.WARN2, severity_text="warn", body={**EVERY_TYPE, "deep": EVERY_TYPE})
    tell(4_000, severity_number=SeverityNumber.DEBUG4, body=["one", 2, 0.5, True, None, ["nested"]])
    tell(5_000, body=bytes([0, 1, 254, 255]))
    tell(6_000, severity_number=SeverityNumber.FATAL4, severity_text="", body=42)
    tell(7_000, body=False)
    tell(8_000, event_name="shop.basket.emptied")
    tell(9_000, body="over the limits", attributes=numbered("attribute", 40))
    logger.emit(LogRecord(body="when it happened is unknown", observed_timestamp=at(10_000), context=Context()))


@shop
def tell_standard_logging(loggers):
    """What the standard library's logging hands over; its times are those of the recording."""
    log = logging.getLogger("shop.basket")
    log.setLevel(logging.DEBUG)
    log.addHandler(LoggingHandler(logger_provider=loggers))
    log.debug("basket of %d items", 3, extra={"basket.items": 3, "basket.id": "b-17"})
    log.warning("basket is large", extra={"otel.event.name": "shop.basket.large"})
    try:
        read_basket()
    except OverflowError:
        log.exception("basket is unreadable")


tracers = TracerProvider(resource=RESOURCE, span_limits=LIMITS)
for processor in span_processors("story-traces", EVERY_VARIANT):
    tracers.add_span_processor(processor)
loggers = LoggerProvider(resource=RESOURCE, log_record_limits=LogRecordLimits(max_log_record_attributes=32))
for processor in log_processors("story-logs", EVERY_VARIANT):
    loggers.add_log_record_processor(processor)

tell_logs(loggers, tell_spans(tracers))
tell_standard_logging(loggers)
tracers.shutdown()
loggers.shutdown()
