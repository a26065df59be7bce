"""Says what each recording holds, in the words of OpenTelemetry's own protobuf classes and nothing of Headwater.

    python decode.py FOLDER

Beside each FOLDER/NAME.body or FOLDER/NAME-gzip.body goes NAME.expected.json, or for the many spans of an ordinary
recording NAME.expected.json.gz: the request as protobuf's JSON with the fields' own names, defaults included, 64-bit
integers as strings, enums by name, ids in hex, bytes in base64. A message that was not sent is there too, with its
defaults; a value without a kind is {}.
"""

import base64
import gzip
import json
import pathlib
import sys

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = {"/v1/traces": ExportTraceServiceRequest, "/v1/logs": ExportLogsServiceRequest}
IDS_OF_JSON = {"traceId", "spanId", "parentSpanId"}
IDS = {"trace_id", "span_id", "parent_span_id"}
# Indexes into a table that only profiles have.
OF_PROFILES = {"key_strindex"}


def without_repeated_names(pairs):
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ValueError(f"an object of the recording has a name twice: {names}")
    return dict(pairs)


def replaced(value, names, replace):
    """The value with each field of these names replaced, at any depth."""
    if isinstance(value, list):
        return [replaced(item, names, replace) for item in value]
    if isinstance(value, dict):
        return {
            name: replace(item) if name in names else replaced(item, names, replace)
            for name, item in value.items()
            if name not in OF_PROFILES
        }
    return value


def integer(text):
    """Python would read -0 as the integer 0; as a double it keeps its sign."""
    return -0.0 if text == "-0" else int(text)


def hex_to_base64(text):
    return base64.b64encode(bytes.fromhex(text)).decode()


def base64_to_hex(text):
    return base64.b64decode(text).hex()


def settle(message):
    """Refuses fields that these classes do not know, and makes messages that were not sent explicit."""
    if len(UnknownFieldSet(message)) > 0:
        name = message.DESCRIPTOR.name
        raise ValueError(f"{name} has a field that this opentelemetry-proto does not know; take a newer one")
    for field in message.DESCRIPTOR.fields:
        if field.type != FieldDescriptor.TYPE_MESSAGE:
            continue
        if field.is_repeated:
            for item in getattr(message, field.name):
                settle(item)
        elif field.containing_oneof is None or message.HasField(field.name):
            getattr(message, field.name).SetInParent()
            settle(getattr(message, field.name))


def decode(body, sent):
    if sent["contentEncoding"] == "gzip":
        body = gzip.decompress(body)
    elif sent["contentEncoding"] != "":
        raise ValueError(f'content-encoding is "{sent["contentEncoding"]}"; this script knows gzip only')
    request = REQUESTS[sent["path"]]()
    if sent["contentType"] == "application/json":
        # OTLP writes ids in hex where protobuf's own JSON has base64, and receivers ignore fields they do not know.
        fields = json.loads(body, object_pairs_hook=without_repeated_names, parse_int=integer)
        ParseDict(replaced(fields, IDS_OF_JSON, hex_to_base64), request, ignore_unknown_fields=True)
    else:
        request.ParseFromString(body)
    settle(request)
    fields = MessageToDict(request, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return replaced(fields, IDS, base64_to_hex)


def main(folder):
    expectations = {}
    for body in sorted(folder.glob("*.body")):
        sent = json.loads(body.with_suffix(".request.json").read_text())
        expected = json.dumps(decode(body.read_bytes(), sent), ensure_ascii=False)
        name = body.stem.removesuffix("-gzip")
        if expectations.setdefault(name, expected) != expected:
            raise ValueError(f"{name} says another thing when it is compressed")
    for name, expected in expectations.items():
        if "-ordinary-" in name:
            (folder / f"{name}.expected.json.gz").write_bytes(gzip.compress(expected.encode(), mtime=0))
        else:
            (folder / f"{name}.expected.json").write_text(expected + "\n")


main(pathlib.Path(sys.argv[1]))
