// The columns of `otel_logs`, as the collector fills them.

import { Block, type BlockColumn } from './block.ts'
import { ByteColumn } from './byte-column.ts'
import { byte, lowCardinality, map, number, text } from './column-kinds.ts'
import { GroupedLowCardinality, GroupedMap, GroupedNumber, GroupedText, Groups } from './grouped-columns.ts'
import { LowCardinalityColumn } from './low-cardinality-column.ts'
import { MapColumn } from './map-column.ts'
import { NumberColumn } from './number-column.ts'
import { partsOf } from './parts-of.ts'
import type { BlockTexts } from './span-block.ts'
import { keyLimits, nameLimits, TextTable } from './text-table.ts'

/** Log records as rows of `otel_logs`. Every column is public: the decoder writes them as it reads. */
export class LogBlock {
  readonly texts: BlockTexts
  /** Records in a row that share resource and scope; these have a row a group. */
  readonly groups = new Groups()
  readonly timestamp = new NumberColumn()
  readonly traceId = new ByteColumn()
  readonly spanId = new ByteColumn()
  /** A byte a row. */
  readonly traceFlags = new ByteColumn()
  readonly severityText: LowCardinalityColumn
  /** A byte a row. */
  readonly severityNumber = new ByteColumn()
  readonly serviceName: GroupedLowCardinality
  readonly body = new ByteColumn()
  readonly resourceSchemaUrl: GroupedLowCardinality
  readonly resourceAttributes: GroupedMap
  readonly scopeSchemaUrl: GroupedLowCardinality
  readonly scopeName: GroupedText
  readonly scopeVersion: GroupedLowCardinality
  readonly scopeAttributes: GroupedMap
  readonly logAttributes: MapColumn
  readonly eventName = new ByteColumn()
  readonly observedTimestamp = new NumberColumn()
  readonly flags = new NumberColumn()
  readonly droppedAttributes = new NumberColumn()
  readonly resourceDroppedAttributes: GroupedNumber
  readonly scopeDroppedAttributes: GroupedNumber
  readonly otherFlowId = new ByteColumn()
  readonly namespace: GroupedLowCardinality
  readonly environment: GroupedLowCardinality
  readonly version: GroupedLowCardinality
  readonly instance: GroupedLowCardinality
  readonly service: GroupedLowCardinality
  readonly block: Block

  constructor(texts: BlockTexts = { keys: new TextTable(keyLimits), names: new TextTable(nameLimits) }) {
    this.texts = texts
    const { keys, names } = texts
    const { groups } = this
    this.severityText = new LowCardinalityColumn(names)
    this.serviceName = new GroupedLowCardinality(groups, names)
    this.resourceSchemaUrl = new GroupedLowCardinality(groups, names)
    this.resourceAttributes = new GroupedMap(groups, keys)
    this.scopeSchemaUrl = new GroupedLowCardinality(groups, names)
    this.scopeName = new GroupedText(groups, names)
    this.scopeVersion = new GroupedLowCardinality(groups, names)
    this.scopeAttributes = new GroupedMap(groups, keys)
    this.logAttributes = new MapColumn(keys)
    this.resourceDroppedAttributes = new GroupedNumber(groups)
    this.scopeDroppedAttributes = new GroupedNumber(groups)
    this.namespace = new GroupedLowCardinality(groups, names)
    this.environment = new GroupedLowCardinality(groups, names)
    this.version = new GroupedLowCardinality(groups, names)
    this.instance = new GroupedLowCardinality(groups, names)
    this.service = new GroupedLowCardinality(groups, names)
    const columns: BlockColumn[] = [
      number('Timestamp', 'DateTime64(9)', this.timestamp),
      text('TraceId', this.traceId),
      text('SpanId', this.spanId),
      byte('TraceFlags', this.traceFlags),
      lowCardinality('SeverityText', this.severityText),
      byte('SeverityNumber', this.severityNumber),
      this.serviceName.column('ServiceName'),
      text('Body', this.body),
      this.resourceSchemaUrl.column('ResourceSchemaUrl'),
      this.resourceAttributes.column('ResourceAttributes'),
      this.scopeSchemaUrl.column('ScopeSchemaUrl'),
      this.scopeName.column('ScopeName'),
      this.scopeVersion.column('ScopeVersion'),
      this.scopeAttributes.column('ScopeAttributes'),
      map('LogAttributes', this.logAttributes),
      text('EventName', this.eventName),
      number('ObservedTimestamp', 'DateTime64(9)', this.observedTimestamp),
      number('Flags', 'UInt32', this.flags),
      number('DroppedAttributes', 'UInt32', this.droppedAttributes),
      this.resourceDroppedAttributes.column('ResourceDroppedAttributes'),
      this.scopeDroppedAttributes.column('ScopeDroppedAttributes'),
      text('OtherFlowId', this.otherFlowId),
      this.namespace.column('Namespace'),
      this.environment.column('Environment'),
      this.version.column('Version'),
      this.instance.column('Instance'),
      this.service.column('Service'),
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
