/** Why a record makes no row. Each is a label of the metric and a reason in the ledger. */
export type RejectionReason =
  | 'trace_id'
  | 'span_id'
  | 'parent_span_id'
  | 'start_time'
  | 'end_time'
  | 'event_time'
  | 'log_time'
  | 'outside_window'

/** What was left out of one request: each reason with its count and its first example. */
export class Rejections {
  readonly #reasons = new Map<RejectionReason, { count: number; message: string }>()
  count = 0

  /** `message` names field and value; it is asked for once a reason. */
  add(reason: RejectionReason, message: () => string): void {
    this.count += 1
    const known = this.#reasons.get(reason)
    if (known === undefined) this.#reasons.set(reason, { count: 1, message: message() })
    else known.count += 1
  }

  /** Counts by reason. */
  get counts(): Map<RejectionReason, number> {
    return new Map(Array.from(this.#reasons, ([reason, { count }]) => [reason, count]))
  }

  /** One sentence for all of them, empty when there are none. */
  describe(records: number, what: 'spans' | 'log records'): string {
    if (this.count === 0) return ''
    const parts = Array.from(
      this.#reasons.values(),
      ({ count, message }) => `${message} (${count} of ${records} ${what})`,
    )
    return `Rejected: ${parts.join('; ')}`
  }
}
