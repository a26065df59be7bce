import type { InsertRow, SelectRow } from '../columns.ts'

/** The clickhouseexporter's columns, then ours. */
export const otelTraces = {
  stored: {
    Timestamp: 'DateTime64(9)',
    TraceId: 'String',
    SpanId: 'String',
    ParentSpanId: 'String',
    TraceState: 'String',
    SpanName: 'LowCardinality(String)',
    SpanKind: 'LowCardinality(String)',
    ServiceName: 'LowCardinality(String)',
    ResourceAttributes: 'Map(LowCardinality(String), String)',
    ScopeName: 'String',
    ScopeVersion: 'String',
    SpanAttributes: 'Map(LowCardinality(String), String)',
    Duration: 'UInt64',
    StatusCode: 'LowCardinality(String)',
    StatusMessage: 'String',
    'Events.Timestamp': 'Array(DateTime64(9))',
    'Events.Name': 'Array(LowCardinality(String))',
    'Events.Attributes': 'Array(Map(LowCardinality(String), String))',
    'Links.TraceId': 'Array(String)',
    'Links.SpanId': 'Array(String)',
    'Links.TraceState': 'Array(String)',
    'Links.Attributes': 'Array(Map(LowCardinality(String), String))',
  },
  defaulted: {
    ReceivedAt: 'DateTime64(3)',
    Flags: 'UInt32',
    DroppedAttributes: 'UInt32',
    DroppedEvents: 'UInt32',
    DroppedLinks: 'UInt32',
    /** The flow that a span states, where it is not its own trace. */
    OtherFlowId: 'String',
    FlowName: 'LowCardinality(String)',
    UserId: 'String',
    PeerService: 'LowCardinality(String)',
    PeerAddress: 'LowCardinality(String)',
    Namespace: 'LowCardinality(String)',
    Environment: 'LowCardinality(String)',
    Version: 'LowCardinality(String)',
    Instance: 'LowCardinality(String)',
    Service: 'LowCardinality(String)',
    Weight: 'Float64',
    ResourceSchemaUrl: 'LowCardinality(String)',
    ResourceDroppedAttributes: 'UInt32',
    ScopeSchemaUrl: 'LowCardinality(String)',
    ScopeAttributes: 'Map(LowCardinality(String), String)',
    ScopeDroppedAttributes: 'UInt32',
    EventsDroppedAttributes: 'Array(UInt32)',
    LinksDroppedAttributes: 'Array(UInt32)',
    LinksFlags: 'Array(UInt32)',
    Partial: 'UInt8',
  },
  aliased: {
    FlowId: 'String',
  },
} as const

/**
 * A span as it is inserted. `Timestamp` is Unix seconds with nine decimals, such as `1763640000.000000001`; seconds of fewer
 * than ten digits are padded with zeros, or ClickHouse takes them for something else.
 */
export type SpanInsert = InsertRow<typeof otelTraces>
export type SpanRow = SelectRow<typeof otelTraces>

export const otelTracesTraceIdTs = {
  stored: { TraceId: 'String', Start: 'DateTime', End: 'DateTime' },
} as const
