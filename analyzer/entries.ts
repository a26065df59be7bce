import type { Finding } from './detect.ts'
import { operationKey, type Picture } from './picture.ts'

/** Whether a finding says that what comes in from outside fails or is slow: that users see it. */
export function isOfEntry({ signal, service, operation, caller }: Finding, known: Picture): boolean {
  if (caller !== undefined || (signal !== 'errors' && signal !== 'latency')) return false
  return (known.operations.get(operationKey(service, operation))?.entries ?? 0) > 0
}
