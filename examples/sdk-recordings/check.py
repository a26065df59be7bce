"""Holds what the recordings of the story should say against what the programs set, written down here once more.

    python check.py FOLDER

What an SDK cannot say, or says otherwise, stands in the table `SDKS`; nothing else may differ.
"""

import json
import pathlib
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

SCHEMA_URL = "https://opentelemetry.io/schemas/1.40.0"
START_NS = 1_795_741_200_123_456_789
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACE_STATE = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
EARLIER_TRACE = "0af7651916cd43dd8448eb211c80319c"
MESSAGE = "deadlock detected: „basket“ 💥"
FRAMES = "(frames)"
BY_THE_CLOCK = "(by the clock)"

# The low byte is W3C's trace flags; then whether it is known that the context came from elsewhere, and whether it did.
SAMPLED, RANDOM, KNOWN, REMOTE = 0x001, 0x002, 0x100, 0x200

BYTES = {"bytes_value": "AAH+/w=="}
EVERY_TYPE = {
    "text.plain": "plain",
    "text.empty": "",
    "text.unicode": "żółć 漢字 🚀 e\u0301",
    "text.control": "tab\tline\nbell\u0007escape\u001bdelete\u007f",
    "bool.true": True,
    "bool.false": False,
    "int.zero": 0,
    "int.negative": -42,
    "int.largest": 9_223_372_036_854_775_807,
    "int.smallest": -9_223_372_036_854_775_808,
    "double.fraction": 0.1,
    "double.whole": 2.0,
    "double.negative_zero": -0.0,
    "double.largest": 1.7976931348623157e308,
    "double.smallest": 5e-324,
    "double.nan": {"double_value": "NaN"},
    "double.infinity": {"double_value": "Infinity"},
    "double.minus_infinity": {"double_value": "-Infinity"},
    "list.text": ["a", "", "🚀"],
    "list.bool": [True, False],
    "list.int": [-1, 0, 9_223_372_036_854_775_807],
    "list.double": [0.1, -2.5, 1e-300],
    "list.empty": [],
    "list.mixed": ["one", 2, 0.5, True, {"four": 4}],
    "bytes": BYTES,
    "map": {"kind": "nested", "depth": {"list": [1, "two", False], "empty": {}}},
    "nothing": None,
}
RESOURCE = {
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
}


def without(of, *names):
    return {name: item for name, item in of.items() if name not in names}


def the_first(names, limit):
    return names[:limit]


def the_last(names, limit):
    return names[-limit:]


def the_first_by_name(names, limit):
    return sorted(names)[:limit]


class Sdk(NamedTuple):
    """How one SDK tells the story."""

    exception_of_span: dict[str, str]
    exception_of_log: dict[str, str]
    every_type: dict[str, Any] = EVERY_TYPE
    every_type_of_events: dict[str, Any] = EVERY_TYPE
    body: dict[str, Any] = {**EVERY_TYPE, "deep": EVERY_TYPE}
    nameless: str = ""
    flags: int = SAMPLED | KNOWN
    flags_of_root: int = SAMPLED | KNOWN
    has_state_of_links: bool = True
    has_attributes_of_tracer: bool = True
    has_attributes_of_logger: bool = True
    has_undated_logs: bool = True
    kept_attributes: Callable[[list, int], list] = the_first
    kept_attributes_of_events_and_links: Callable[[list, int], list] = the_first
    kept_events_and_links: Callable[[list, int], list] = the_last


# Numbers are doubles: whole ones are sent as integers, and -0 with them. The largest double is whole, so in JSON it
# would be an integer beyond 64 bits, which no receiver can read: the program leaves it out.
NUMBERS_OF_JAVASCRIPT = without(EVERY_TYPE, "double.largest") | {
    "int.largest": 9_007_199_254_740_991,
    "int.smallest": -9_007_199_254_740_991,
    "list.int": [-1, 0, 9_007_199_254_740_991],
    "double.whole": 2,
    "double.negative_zero": 0,
}
# JSON.stringify writes null for each of them, which is a value without a kind.
NUMBERS_OF_JAVASCRIPT_IN_JSON = NUMBERS_OF_JAVASCRIPT | {
    "double.nan": None,
    "double.infinity": None,
    "double.minus_infinity": None,
}


def javascript(every_type):
    exception = {"exception.type": "RangeError", "exception.message": MESSAGE, "exception.stacktrace": FRAMES}
    return Sdk(
        exception_of_span=exception,
        exception_of_log=exception,
        every_type=every_type,
        every_type_of_events=without(every_type, "list.mixed", "bytes", "map", "nothing"),
        body={**every_type, "deep": every_type},
        has_attributes_of_tracer=False,
        has_undated_logs=False,
    )


EXCEPTION_OF_PYTHON = {
    "exception.type": "OverflowError",
    "exception.message": MESSAGE,
    "exception.stacktrace": FRAMES,
}
PYTHON = Sdk(
    exception_of_span=EXCEPTION_OF_PYTHON | {"exception.escaped": "False"},
    exception_of_log=EXCEPTION_OF_PYTHON,
    flags=KNOWN,
    flags_of_root=KNOWN,
    has_state_of_links=False,
    kept_attributes=the_last,
    kept_attributes_of_events_and_links=the_last,
)

EXCEPTION_OF_GO = {"exception.type": "main.deadlock", "exception.message": MESSAGE}
GO = Sdk(
    exception_of_span=EXCEPTION_OF_GO | {"exception.stacktrace": FRAMES},
    exception_of_log=EXCEPTION_OF_GO,
    has_state_of_links=False,
)

EXCEPTION_OF_JAVA = {
    "exception.type": "Story.Deadlock",
    "exception.message": MESSAGE,
    "exception.stacktrace": FRAMES,
}
JAVA = Sdk(
    exception_of_span=EXCEPTION_OF_JAVA,
    exception_of_log=EXCEPTION_OF_JAVA,
    # Attributes are no values here, so the body is one of its own.
    body={
        "text": "żółć 🚀",
        "largest": 9_223_372_036_854_775_807,
        "nan": {"double_value": "NaN"},
        "bytes": BYTES,
        "nothing": None,
        "deep": EVERY_TYPE["map"],
    },
    nameless="<unspecified span name>",
    flags_of_root=SAMPLED | RANDOM | KNOWN,
    has_attributes_of_tracer=False,
    has_attributes_of_logger=False,
    kept_attributes=the_first_by_name,
    kept_attributes_of_events_and_links=the_first_by_name,
    kept_events_and_links=the_first,
)

SDKS = {
    ("javascript", "protobuf"): javascript(NUMBERS_OF_JAVASCRIPT),
    ("javascript", "json"): javascript(NUMBERS_OF_JAVASCRIPT_IN_JSON),
    ("python", "protobuf"): PYTHON,
    ("python", "json"): PYTHON,
    ("go", "protobuf"): GO,
    ("go", "json"): GO,
    ("java", "protobuf"): JAVA,
}


def at(nanoseconds):
    return str(START_NS + nanoseconds)


def value(of):
    """The AnyValue for a value of Python, its maps by name; bytes and doubles that are no numbers come as they are."""
    match of:
        case None:
            return {}
        case bool():
            return {"bool_value": of}
        case int():
            return {"int_value": str(of)}
        case float():
            return {"double_value": of}
        case str():
            return {"string_value": of}
        case list():
            return {"array_value": {"values": [value(item) for item in of]}}
        case {"bytes_value": _} | {"double_value": _}:
            return of
        case dict():
            return {"kvlist_value": values(of)}


def values(of):
    return {name: value(item) for name, item in of.items()}


def numbered(prefix, count, kept, limit):
    """Attributes called prefix.1, prefix.2 and so on, of which some were kept."""
    names = [f"{prefix}.{number}" for number in range(1, count + 1)]
    return {name: int(name.removeprefix(f"{prefix}.")) for name in kept(names, limit)}


def link(trace_id, span_id, attributes, state="", flags=KNOWN, dropped=0):
    return {
        "trace_id": trace_id,
        "span_id": span_id,
        "trace_state": state,
        "attributes": values(attributes),
        "dropped_attributes_count": dropped,
        "flags": flags,
    }


def event(name, moment, attributes, dropped=0):
    return {
        "time_unix_nano": at(moment),
        "name": name,
        "attributes": values(attributes),
        "dropped_attributes_count": dropped,
    }


def told_spans(sdk):
    """The spans by name; ids that an SDK drew by chance are the names of their spans."""
    spans = {}

    def tell(name, kind, start, end, attributes, parent="POST /checkout", **others):
        spans[name] = {
            "scope": "headwater.story",
            "trace_id": TRACE,
            "trace_state": TRACE_STATE,
            "parent_span_id": parent,
            "name": name,
            "kind": f"SPAN_KIND_{kind}",
            "start_time_unix_nano": at(start),
            "end_time_unix_nano": at(end),
            "flags": sdk.flags,
            "attributes": values(attributes),
            "dropped_attributes_count": 0,
            "events": [],
            "dropped_events_count": 0,
            "links": [],
            "dropped_links_count": 0,
            "status": {"code": "STATUS_CODE_UNSET", "message": ""},
            **others,
        }

    earlier_attempt = link(
        EARLIER_TRACE,
        "b7ad6b7169203331",
        {"link.reason": "retried", "link.attempt": 2, "link.late": [True, False]},
        "vendor=opaque:1" if sdk.has_state_of_links else "",
        sdk.flags | REMOTE,
    )
    tell(
        "POST /checkout",
        "SERVER",
        0,
        250_000_001,
        {"http.request.method": "POST", "url.path": "/checkout", "http.response.status_code": 200},
        parent="00f067aa0ba902b7",
        flags=sdk.flags | REMOTE,
        links=[earlier_attempt, link(EARLIER_TRACE, "00f067aa0ba90201", {})],
        status={"code": "STATUS_CODE_OK", "message": ""},
    )
    tell("price the basket", "INTERNAL", 1_000_001, 4_000_000, sdk.every_type)
    tell(
        "SELECT shop.basket",
        "CLIENT",
        2_000_000,
        3_000_000,
        {"db.system.name": "postgresql"},
        parent="price the basket",
        events=[
            event(
                "every type",
                2_500_000,
                sdk.every_type_of_events,
                len(sdk.every_type) - len(sdk.every_type_of_events),
            ),
            event("bare", 2_500_001, {}),
            event("exception", 2_999_999, sdk.exception_of_span),
        ],
        status={"code": "STATUS_CODE_ERROR", "message": MESSAGE},
    )
    tell("cache get", "INTERNAL", 3_100_000, 3_200_000, {}, parent="price the basket", scope="headwater.plain")
    tell("orders publish", "PRODUCER", 5_000_000, 6_000_000, {"messaging.system": "mqtt"})
    published = link(
        TRACE,
        "orders publish",
        {"messaging.batch.message_count": 1},
        TRACE_STATE if sdk.has_state_of_links else "",
        sdk.flags,
    )
    tell(
        "orders process",
        "CONSUMER",
        7_000_000,
        8_000_000,
        {},
        parent="",
        trace_id="orders process",
        trace_state="",
        flags=sdk.flags_of_root,
        links=[published],
    )
    kept = sdk.kept_attributes_of_events_and_links
    tell(
        "over the limits",
        "INTERNAL",
        9_000_000,
        9_500_000,
        numbered("attribute", 40, sdk.kept_attributes, 32),
        dropped_attributes_count=8,
        events=[
            event(f"event {number}", 9_000_000 + number, numbered("event", 35, kept, 30), 5)
            for number in sdk.kept_events_and_links(range(1, 8), 4)
        ],
        dropped_events_count=3,
        links=[
            link(EARLIER_TRACE, f"00f067aa0ba9020{number}", numbered("link", 6, kept, 4), dropped=2)
            for number in sdk.kept_events_and_links(range(1, 6), 3)
        ],
        dropped_links_count=2,
    )
    tell(sdk.nameless, "INTERNAL", 9_700_000, 9_700_000, {})
    return spans


def told_records(sdk):
    """The log records in their order; the id of the span is whether there is one, as another recording has drawn it."""
    records = []

    def tell(moment, body=None, severity="UNSPECIFIED", in_query=False, attributes=None, **others):
        records.append(
            {
                "scope": "headwater.story",
                "time_unix_nano": at(moment),
                "observed_time_unix_nano": at(moment + 500),
                "severity_number": f"SEVERITY_NUMBER_{severity}",
                "severity_text": "",
                "body": value(body),
                "attributes": values(attributes or {}),
                "dropped_attributes_count": 0,
                "flags": SAMPLED if in_query else 0,
                "trace_id": TRACE if in_query else "",
                "span_id": in_query,
                "event_name": "",
                **others,
            }
        )

    tell(1_000, "basket priced: żółć 🚀", "INFO", True, sdk.every_type, severity_text="INFO")
    tell(
        2_000,
        "checkout failed",
        "ERROR",
        True,
        sdk.exception_of_log,
        severity_text="ERROR",
        event_name="shop.checkout.failed",
    )
    tell(3_000, sdk.body, "WARN2", severity_text="warn")
    tell(4_000, ["one", 2, 0.5, True, None, ["nested"]], "DEBUG4")
    tell(5_000, BYTES)
    tell(6_000, 42, "FATAL4")
    tell(7_000, False)
    tell(8_000, event_name="shop.basket.emptied")
    tell(
        9_000,
        "over the limits",
        attributes=numbered("attribute", 40, sdk.kept_attributes, 32),
        dropped_attributes_count=8,
    )
    tell(9_500, "when it happened is unknown", time_unix_nano="0" if sdk.has_undated_logs else BY_THE_CLOCK)
    return records


def told_by_standard_logging():
    """What comes through Python's own logging."""

    def told(body, severity, attributes=None, event_name=""):
        return {
            "scope": "shop.basket",
            "time_unix_nano": BY_THE_CLOCK,
            "observed_time_unix_nano": BY_THE_CLOCK,
            "severity_number": f"SEVERITY_NUMBER_{severity}",
            "severity_text": severity,
            "body": value(body),
            "attributes": values(attributes or {}),
            "dropped_attributes_count": 0,
            "flags": 0,
            "trace_id": "",
            "span_id": False,
            "event_name": event_name,
        }

    return [
        told("basket of 3 items", "DEBUG", {"basket.items": 3, "basket.id": "b-17"}),
        told("basket is large", "WARN", event_name="shop.basket.large"),
        told("basket is unreadable", "ERROR", EXCEPTION_OF_PYTHON),
    ]


def told(language, encoding, signal):
    """Everything that a recording should say."""
    sdk = SDKS[language, encoding]
    is_of_spans = signal == "traces"
    has_attributes = sdk.has_attributes_of_tracer if is_of_spans else sdk.has_attributes_of_logger
    teller, part = ("tracer", 1) if is_of_spans else ("logger", 2)
    plain = {"version": "", "schema_url": "", "attributes": {}}
    scopes = {
        "headwater.story": {
            "version": "0.9.1",
            "schema_url": SCHEMA_URL,
            "attributes": values({"story.teller": teller, "story.part": part}) if has_attributes else {},
        }
    }
    if is_of_spans:
        scopes["headwater.plain"] = plain
    elif language == "python":
        scopes["shop.basket"] = plain
    return {
        "resource": values(RESOURCE),
        "schema_url": SCHEMA_URL,
        "scopes": scopes,
        "spans": told_spans(sdk) if is_of_spans else {},
        "records": []
        if is_of_spans
        else told_records(sdk) + (told_by_standard_logging() if language == "python" else []),
    }


def unordered(of):
    """An AnyValue with its maps by name."""
    match of:
        case {"array_value": {"values": items}}:
            return {"array_value": {"values": [unordered(item) for item in items]}}
        case {"kvlist_value": {"values": items}}:
            return {"kvlist_value": by_name(items)}
        case _:
            return of


def by_name(attributes):
    found = {each["key"]: unordered(each["value"]) for each in attributes}
    if len(found) < len(attributes):
        raise ValueError(f"a name comes twice: {[each['key'] for each in attributes]}")
    return found


def named(item):
    """The same with its attributes by name, a stack trace only as the fact that it has frames."""
    attributes = by_name(item["attributes"])
    trace = attributes.get("exception.stacktrace", {}).get("string_value", "")
    if trace.count("\n") > 1:
        attributes["exception.stacktrace"] = value(FRAMES)
    return {**item, "attributes": attributes}


def said_spans(scopes):
    spans = {
        each["name"]: {
            **named(each),
            "scope": scope["scope"]["name"],
            "events": [named(event) for event in each["events"]],
            "links": [named(link) for link in each["links"]],
        }
        for scope in scopes
        for each in scope["spans"]
    }
    names = {each.pop("span_id"): name for name, each in spans.items()}
    for name, each in spans.items():
        each["parent_span_id"] = names.get(each["parent_span_id"], each["parent_span_id"])
        if each["parent_span_id"] == "" and each["trace_id"] != TRACE:
            each["trace_id"] = name
        for linked in each["links"]:
            linked["span_id"] = names.get(linked["span_id"], linked["span_id"])
    return spans


def said_records(scopes):
    records = [
        {
            **named(each),
            "scope": scope["scope"]["name"],
            "body": unordered(each["body"]),
            "span_id": each["span_id"] != "",
        }
        for scope in scopes
        for each in scope["log_records"]
    ]
    for each in records:
        for field in ("time_unix_nano", "observed_time_unix_nano"):
            if int(each[field]) > START_NS + 60_000_000_000:
                each[field] = BY_THE_CLOCK
    return records


def said(request, signal):
    """What a recording does say, in the same words."""
    is_of_spans = signal == "traces"
    (resource,) = request["resource_spans" if is_of_spans else "resource_logs"]
    scopes = resource["scope_spans" if is_of_spans else "scope_logs"]
    return {
        "resource": by_name(resource["resource"]["attributes"]),
        "schema_url": resource["schema_url"],
        "scopes": {
            scope["scope"]["name"]: {
                "version": scope["scope"]["version"],
                "schema_url": scope["schema_url"],
                "attributes": by_name(scope["scope"]["attributes"]),
            }
            for scope in scopes
        },
        "spans": said_spans(scopes) if is_of_spans else {},
        "records": [] if is_of_spans else said_records(scopes),
    }


def differences(expected, found, place=""):
    """The places where what was said is not what was told."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            yield from differences(expected.get(name, "nothing"), found.get(name, "nothing"), f"{place}/{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (each, other) in enumerate(zip(expected, found)):
            yield from differences(each, other, f"{place}/{index}")
    # Their text, as 0 and -0, True and 1 are equal.
    elif repr(expected) != repr(found):
        yield f"{place}: told {expected!r}, said {found!r}"


def ordinary_differences(folder):
    """Whether the encodings of an ordinary recording say the same, for it holds no value that JSON cannot."""
    for path in sorted(folder.glob("*-ordinary-*-json.expected.json.gz")):
        other = path.with_name(path.name.replace("-json.", "-protobuf."))
        if other.exists() and other.read_bytes() != path.read_bytes():
            yield f"{path.name}: not the same as {other.name}"


def main(folder):
    paths = sorted(folder.glob("*-story-*.expected.json"))
    found = []
    for path in paths:
        language, _, signal, encoding = path.name.removesuffix(".expected.json").split("-")
        request = json.loads(path.read_text())
        found += [f"{path.name}{each}" for each in differences(told(language, encoding, signal), said(request, signal))]
    found += ordinary_differences(folder)
    print("\n".join([*found, f"{len(paths)} recordings of the story, {len(found)} differences"]))
    sys.exit(1 if found or not paths else 0)


main(pathlib.Path(sys.argv[1]))
