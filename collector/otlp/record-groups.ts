// The messages around records are alike for every signal: a request has resources, a resource has scopes, a scope has
// records. This reads them and writes what records share, once for each scope that has a row.

import type { GroupedLowCardinality, GroupedMap, GroupedNumber, GroupedText, Groups } from '@headwater/store'
import type { Redaction } from '../redaction/redaction.ts'
import { AttributeWriter } from './attribute-writer.ts'
import { Identities, identityNames } from './identity.ts'
import type { Names } from './names.ts'
import { Places } from './places.ts'
import { readResource } from './record-parts.ts'
import type { WalkLimits } from './walk.ts'
import { TooLarge } from './too-large.ts'
import { Wire } from './wire.ts'

/** Bytes of a request after which its columns are measured anew; they are at most some times as large. */
const measureEveryBytes = 256 * 1024

/** The columns that have a row a group. */
export interface GroupColumns {
  readonly block: { readonly memoryBytes: number }
  readonly groups: Groups
  readonly serviceName: GroupedLowCardinality
  readonly namespace: GroupedLowCardinality
  readonly environment: GroupedLowCardinality
  readonly version: GroupedLowCardinality
  readonly instance: GroupedLowCardinality
  readonly service: GroupedLowCardinality
  readonly resourceAttributes: GroupedMap
  readonly resourceSchemaUrl: GroupedLowCardinality
  readonly resourceDroppedAttributes: GroupedNumber
  readonly scopeName: GroupedText
  readonly scopeVersion: GroupedText | GroupedLowCardinality
  readonly scopeAttributes: GroupedMap
  readonly scopeSchemaUrl: GroupedLowCardinality
  readonly scopeDroppedAttributes: GroupedNumber
}

/** Reads a record that begins at `wire.at` and ends there; calls `addRow` when it makes a row. */
export type ReadRecord = (end: number) => void

/** Walks through requests, from record to record. */
export class RecordGroups {
  readonly #columns: GroupColumns
  readonly #limits: WalkLimits
  readonly #what: string
  readonly #writer: AttributeWriter
  readonly #names: Names
  readonly #identities: Identities
  #wire = new Wire(new Uint8Array(0))
  #readRecord: ReadRecord = () => undefined
  #records = 0
  #repeatedBytes = 0
  #columnBytesEnd = 0
  #measureAt = 0

  /** Of the resource and the scope that are being read. */
  readonly #resourceAttributes = new Places()
  readonly #scopeAttributes = new Places()
  #isOpen = false
  #service = 0
  #rowBytes = 0
  #resourceBytes = 0
  #resourceDropped = 0
  #scopeDropped = 0
  #resourceSchemaUrl = 0
  #scopeSchemaUrl = 0
  #scopeNameStart = 0
  #scopeNameEnd = 0
  #scopeVersionStart = 0
  #scopeVersionEnd = 0

  /** `what` is what records are called in a message to a person. */
  constructor(
    columns: GroupColumns,
    {
      names,
      redaction,
      limits,
      what,
    }: {
      names: Names
      redaction: Redaction
      limits: WalkLimits
      what: string
    },
  ) {
    this.#columns = columns
    this.#limits = limits
    this.#what = what
    this.#names = names
    this.#identities = new Identities(names)
    this.#writer = new AttributeWriter(columns.resourceAttributes.keys.table, redaction, this.#wire, identityNames)
  }

  /** Names have other numbers now. */
  renumber(): void {
    this.#identities.renumber()
  }

  /** Reads a request, record by record; says how many there were and what they take. Throws `WireError` and `TooLarge`. */
  walk(wire: Wire, readRecord: ReadRecord): { records: number; bytes: number } {
    const bytesBefore = this.#columns.block.memoryBytes
    this.#columnBytesEnd = bytesBefore + this.#limits.columnBytesMax
    this.#measureAt = measureEveryBytes
    this.#wire = wire
    this.#readRecord = readRecord
    this.#writer.begin(wire)
    this.#records = 0
    this.#repeatedBytes = 0
    const end = wire.bytes.length
    while (wire.at < end) {
      const tag = wire.tag(end)
      if (tag !== 0x0a) {
        wire.skip(tag, end)
        continue
      }
      const fieldEnd = wire.fieldEnd(end)
      this.#resource(fieldEnd)
      wire.at = fieldEnd
    }
    this.#measure()
    return { records: this.#records, bytes: this.#columns.block.memoryBytes - bytesBefore + this.#repeatedBytes }
  }

  #measure(): void {
    if (this.#columns.block.memoryBytes <= this.#columnBytesEnd) return
    throw new TooLarge(`The ${this.#what} of the body take more than ${this.#limits.columnBytesMax} bytes`)
  }

  /** The number of the service whose records are being read. */
  get service(): number {
    if (!this.#isOpen) this.#open()
    return this.#service
  }

  /** Counts a row to the present group; the first one opens it. */
  addRow(): void {
    if (!this.#isOpen) this.#open()
    this.#columns.groups.addRow()
    this.#repeatedBytes += this.#rowBytes
  }

  #resource(end: number): void {
    const wire = this.#wire
    const start = wire.at
    const resource = { attributes: this.#resourceAttributes, droppedAttributes: 0 }
    resource.attributes.clear()
    let [urlStart, urlEnd] = [0, 0]
    // The resource may come after its records.
    while (wire.at < end) {
      const tag = wire.tag(end)
      if (tag === 0x0a) {
        const fieldEnd = wire.fieldEnd(end)
        readResource(wire, fieldEnd, resource)
        wire.at = fieldEnd
      } else if (tag === 0x1a) {
        urlEnd = wire.fieldEnd(end)
        urlStart = wire.at
        wire.at = urlEnd
      } else wire.skip(tag, end)
    }
    this.#resourceBytes = resource.attributes.bytes
    this.#resourceDropped = resource.droppedAttributes + resource.attributes.dropped
    this.#resourceSchemaUrl = this.#names.ofWire(wire, urlStart, urlEnd)
    wire.at = start
    while (wire.at < end) {
      const tag = wire.tag(end)
      if (tag !== 0x12) {
        wire.skip(tag, end)
        continue
      }
      const fieldEnd = wire.fieldEnd(end)
      this.#scoped(fieldEnd)
      wire.at = fieldEnd
    }
  }

  #scoped(end: number): void {
    const wire = this.#wire
    const start = wire.at
    this.#scopeAttributes.clear()
    this.#scopeDropped = 0
    this.#scopeNameStart = this.#scopeNameEnd = this.#scopeVersionStart = this.#scopeVersionEnd = 0
    let [urlStart, urlEnd] = [0, 0]
    while (wire.at < end) {
      const tag = wire.tag(end)
      if (tag === 0x0a) {
        const fieldEnd = wire.fieldEnd(end)
        this.#scope(fieldEnd)
        wire.at = fieldEnd
      } else if (tag === 0x1a) {
        urlEnd = wire.fieldEnd(end)
        urlStart = wire.at
        wire.at = urlEnd
      } else wire.skip(tag, end)
    }
    this.#isOpen = false
    this.#scopeDropped += this.#scopeAttributes.dropped
    this.#scopeSchemaUrl = this.#names.ofWire(wire, urlStart, urlEnd)
    wire.at = start
    const { recordsMax, repeatedBytesMax } = this.#limits
    while (wire.at < end) {
      const tag = wire.tag(end)
      if (tag !== 0x12) {
        wire.skip(tag, end)
        continue
      }
      const fieldEnd = wire.fieldEnd(end)
      this.#records += 1
      if (this.#records > recordsMax) throw new TooLarge(`The body has more than ${recordsMax} ${this.#what}`)
      this.#readRecord(fieldEnd)
      if (fieldEnd >= this.#measureAt) {
        this.#measureAt = fieldEnd + measureEveryBytes
        this.#measure()
      }
      if (this.#repeatedBytes > repeatedBytesMax) {
        throw new TooLarge(`Resources repeated for all ${this.#what} make more than ${repeatedBytesMax} bytes`)
      }
      wire.at = fieldEnd
    }
  }

  #scope(end: number): void {
    const wire = this.#wire
    while (wire.at < end) {
      const tag = wire.tag(end)
      switch (tag) {
        case 0x0a:
          this.#scopeNameEnd = wire.fieldEnd(end)
          this.#scopeNameStart = wire.at
          wire.at = this.#scopeNameEnd
          break
        case 0x12:
          this.#scopeVersionEnd = wire.fieldEnd(end)
          this.#scopeVersionStart = wire.at
          wire.at = this.#scopeVersionEnd
          break
        case 0x1a: {
          const fieldEnd = wire.fieldEnd(end)
          this.#scopeAttributes.add(wire.at, fieldEnd)
          wire.at = fieldEnd
          break
        }
        case 0x20:
          this.#scopeDropped = wire.varint(end)
          break
        default:
          wire.skip(tag, end)
      }
    }
  }

  /** Writes what the records of a resource and scope share, with the first of them that makes a row. */
  #open(): void {
    const columns = this.#columns
    columns.groups.begin()
    this.#isOpen = true
    // A resource is read again for each scope: of many names that are the same little is written, but much is read.
    this.#repeatedBytes += this.#resourceBytes
    this.#writeResource()
    this.#writer.writeRow(columns.scopeAttributes, this.#scopeAttributes)
    columns.scopeName.add(this.#names.ofWire(this.#wire, this.#scopeNameStart, this.#scopeNameEnd))
    columns.scopeVersion.add(this.#names.ofWire(this.#wire, this.#scopeVersionStart, this.#scopeVersionEnd))
    columns.scopeSchemaUrl.add(this.#scopeSchemaUrl)
    columns.scopeDroppedAttributes.add(atMost32Bits(this.#scopeDropped))
    this.#rowBytes =
      columns.resourceAttributes.lastRowBytes +
      columns.scopeAttributes.lastRowBytes +
      this.#scopeNameEnd -
      this.#scopeNameStart +
      this.#scopeVersionEnd -
      this.#scopeVersionStart
  }

  #writeResource(): void {
    const columns = this.#columns
    this.#writer.writeRow(columns.resourceAttributes, this.#resourceAttributes)
    const identity = this.#identities.read(columns.resourceAttributes.values, this.#writer.noted)
    columns.serviceName.add(identity.serviceName)
    columns.namespace.add(identity.namespace)
    columns.environment.add(identity.environment)
    columns.version.add(identity.version)
    columns.instance.add(identity.instance)
    columns.service.add(identity.service)
    this.#service = identity.service
    columns.resourceSchemaUrl.add(this.#resourceSchemaUrl)
    columns.resourceDroppedAttributes.add(atMost32Bits(this.#resourceDropped))
  }
}

function atMost32Bits(count: number): number {
  return Math.min(count, 0xffff_ffff)
}
