// The columns of `otel_traces`, as the collector fills them.

import { Block, type BlockColumn } from './block.ts'
import { ByteColumn } from './byte-column.ts'
import { arrayOf, byte, lowCardinality, map, number, text } from './column-kinds.ts'
import { GroupedLowCardinality, GroupedMap, GroupedNumber, GroupedText, Groups } from './grouped-columns.ts'
import { LowCardinalityColumn } from './low-cardinality-column.ts'
import { MapColumn } from './map-column.ts'
import { NumberColumn } from './number-column.ts'
import { OffsetsColumn } from './offsets-column.ts'
import { partsOf } from './parts-of.ts'
import { keyLimits, nameLimits, TextTable } from './text-table.ts'

/** Names of attributes, and texts that repeat; shared by all columns of a block and kept from block to block. */
export interface BlockTexts {
  keys: TextTable
  names: TextTable
}

/** Spans as rows of `otel_traces`. Every column is public: the decoder writes them as it reads. */
export class SpanBlock {
  readonly texts: BlockTexts
  /** Spans in a row that share resource and scope; these have a row a group. */
  readonly groups = new Groups()
  readonly timestamp = new NumberColumn()
  readonly traceId = new ByteColumn()
  readonly spanId = new ByteColumn()
  readonly parentSpanId = new ByteColumn()
  readonly traceState = new ByteColumn()
  readonly spanName: LowCardinalityColumn
  readonly spanKind: LowCardinalityColumn
  readonly serviceName: GroupedLowCardinality
  readonly resourceAttributes: GroupedMap
  readonly scopeName: GroupedText
  readonly scopeVersion: GroupedText
  readonly spanAttributes: MapColumn
  readonly duration = new NumberColumn()
  readonly statusCode: LowCardinalityColumn
  readonly statusMessage = new ByteColumn()
  /** Where each row's events end; events have a row each in what follows. */
  readonly events = new OffsetsColumn()
  readonly eventTimestamp = new NumberColumn()
  readonly eventName: LowCardinalityColumn
  readonly eventAttributes: MapColumn
  readonly eventDroppedAttributes = new NumberColumn()
  readonly links = new OffsetsColumn()
  readonly linkTraceId = new ByteColumn()
  readonly linkSpanId = new ByteColumn()
  readonly linkTraceState = new ByteColumn()
  readonly linkAttributes: MapColumn
  readonly linkDroppedAttributes = new NumberColumn()
  readonly linkFlags = new NumberColumn()
  readonly flags = new NumberColumn()
  readonly droppedAttributes = new NumberColumn()
  readonly droppedEvents = new NumberColumn()
  readonly droppedLinks = new NumberColumn()
  /** The flow that a span states, where it is not its own trace. */
  readonly otherFlowId = new ByteColumn()
  readonly flowName: LowCardinalityColumn
  readonly userId = new ByteColumn()
  readonly peerService: LowCardinalityColumn
  readonly peerAddress: LowCardinalityColumn
  readonly namespace: GroupedLowCardinality
  readonly environment: GroupedLowCardinality
  readonly version: GroupedLowCardinality
  readonly instance: GroupedLowCardinality
  readonly service: GroupedLowCardinality
  readonly weight = new NumberColumn()
  /** A byte a row: 1 where other spans of the run were shed. */
  readonly partial = new ByteColumn()
  readonly resourceSchemaUrl: GroupedLowCardinality
  readonly resourceDroppedAttributes: GroupedNumber
  readonly scopeSchemaUrl: GroupedLowCardinality
  readonly scopeAttributes: GroupedMap
  readonly scopeDroppedAttributes: GroupedNumber
  readonly block: Block

  constructor(texts: BlockTexts = { keys: new TextTable(keyLimits), names: new TextTable(nameLimits) }) {
    this.texts = texts
    const { keys, names } = texts
    const { groups } = this
    this.scopeName = new GroupedText(groups, names)
    this.scopeVersion = new GroupedText(groups, names)
    this.resourceDroppedAttributes = new GroupedNumber(groups)
    this.scopeDroppedAttributes = new GroupedNumber(groups)
    this.spanName = new LowCardinalityColumn(names)
    this.spanKind = new LowCardinalityColumn(names)
    this.serviceName = new GroupedLowCardinality(groups, names)
    this.resourceAttributes = new GroupedMap(groups, keys)
    this.spanAttributes = new MapColumn(keys)
    this.statusCode = new LowCardinalityColumn(names)
    this.eventName = new LowCardinalityColumn(names)
    this.eventAttributes = new MapColumn(keys)
    this.linkAttributes = new MapColumn(keys)
    this.flowName = new LowCardinalityColumn(names)
    this.peerService = new LowCardinalityColumn(names)
    this.peerAddress = new LowCardinalityColumn(names)
    this.namespace = new GroupedLowCardinality(groups, names)
    this.environment = new GroupedLowCardinality(groups, names)
    this.version = new GroupedLowCardinality(groups, names)
    this.instance = new GroupedLowCardinality(groups, names)
    this.service = new GroupedLowCardinality(groups, names)
    this.resourceSchemaUrl = new GroupedLowCardinality(groups, names)
    this.scopeSchemaUrl = new GroupedLowCardinality(groups, names)
    this.scopeAttributes = new GroupedMap(groups, keys)
    const { events, links } = this
    const columns: BlockColumn[] = [
      number('Timestamp', 'DateTime64(9)', this.timestamp),
      text('TraceId', this.traceId),
      text('SpanId', this.spanId),
      text('ParentSpanId', this.parentSpanId),
      text('TraceState', this.traceState),
      lowCardinality('SpanName', this.spanName),
      lowCardinality('SpanKind', this.spanKind),
      this.serviceName.column('ServiceName'),
      this.resourceAttributes.column('ResourceAttributes'),
      this.scopeName.column('ScopeName'),
      this.scopeVersion.column('ScopeVersion'),
      map('SpanAttributes', this.spanAttributes),
      number('Duration', 'UInt64', this.duration),
      lowCardinality('StatusCode', this.statusCode),
      text('StatusMessage', this.statusMessage),
      arrayOf(events, number('Events.Timestamp', 'DateTime64(9)', this.eventTimestamp)),
      arrayOf(events, lowCardinality('Events.Name', this.eventName)),
      arrayOf(events, map('Events.Attributes', this.eventAttributes)),
      arrayOf(links, text('Links.TraceId', this.linkTraceId)),
      arrayOf(links, text('Links.SpanId', this.linkSpanId)),
      arrayOf(links, text('Links.TraceState', this.linkTraceState)),
      arrayOf(links, map('Links.Attributes', this.linkAttributes)),
      number('Flags', 'UInt32', this.flags),
      number('DroppedAttributes', 'UInt32', this.droppedAttributes),
      number('DroppedEvents', 'UInt32', this.droppedEvents),
      number('DroppedLinks', 'UInt32', this.droppedLinks),
      text('OtherFlowId', this.otherFlowId),
      lowCardinality('FlowName', this.flowName),
      text('UserId', this.userId),
      lowCardinality('PeerService', this.peerService),
      lowCardinality('PeerAddress', this.peerAddress),
      this.namespace.column('Namespace'),
      this.environment.column('Environment'),
      this.version.column('Version'),
      this.instance.column('Instance'),
      this.service.column('Service'),
      number('Weight', 'Float64', this.weight),
      this.resourceSchemaUrl.column('ResourceSchemaUrl'),
      this.resourceDroppedAttributes.column('ResourceDroppedAttributes'),
      this.scopeSchemaUrl.column('ScopeSchemaUrl'),
      this.scopeAttributes.column('ScopeAttributes'),
      this.scopeDroppedAttributes.column('ScopeDroppedAttributes'),
      arrayOf(events, number('EventsDroppedAttributes', 'UInt32', this.eventDroppedAttributes)),
      arrayOf(links, number('LinksDroppedAttributes', 'UInt32', this.linkDroppedAttributes)),
      arrayOf(links, number('LinksFlags', 'UInt32', this.linkFlags)),
      byte('Partial', this.partial),
    ]
    this.block = new Block(columns, partsOf(this))
  }

  /** The block's bytes, for `INSERT … FORMAT Native`; it is empty afterwards. */
  seal(): Buffer {
    const sealed = this.block.seal()
    // Texts are forgotten between two blocks only: their numbers are in the columns until then.
    for (const table of [this.texts.keys, this.texts.names]) if (table.isFull) table.forget()
    return sealed
  }
}
