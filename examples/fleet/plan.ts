// Who is in the fleet: the services, their operations as their spans name them, and what each operation asks of the
// service's peer outside. The peers send no spans, as most of the world that a system depends on.

export const plan = {
  gateway: {
    outside: 'sessions.internal',
    operations: {
      'POST /report': '/sessions/writer',
      'POST /convert': '/sessions/converter',
      'POST /calculate': '/sessions/calculator',
      'POST /sign': '/sessions/signer',
      'POST /forecast': '/sessions/planner',
      'GET /invoice/:id': '/sessions/customer',
      'GET /report/:id': '/sessions/reader',
    },
  },
  crypto: {
    outside: 'keys.internal',
    operations: { 'POST /sign': '/keys/signing', 'POST /hash': '/keys/pepper', 'POST /encrypt': '/keys/sealing' },
  },
  math: {
    outside: 'rates.internal',
    operations: {
      'POST /evaluate': '/rates/daily',
      'POST /statistics': '/rates/monthly',
      'POST /matrix': '/rates/yearly',
    },
  },
  pdf: {
    outside: 'fonts.internal',
    operations: { 'POST /render': '/fonts/body', 'POST /invoice': '/fonts/letterhead' },
  },
  'data-transform': {
    outside: 'schemas.internal',
    operations: {
      'POST /csv-to-json': '/schemas/csv',
      'POST /yaml-to-json': '/schemas/yaml',
      'POST /json-to-yaml': '/schemas/json',
    },
  },
  worker: {
    outside: 'archive.internal',
    operations: {
      'process reports': '/archive/reports',
      'process receipts': '/archive/receipts',
      'GET /reports/:id': '/archive/index',
    },
  },
} as const satisfies Record<string, { outside: string; operations: Record<string, string> }>

export type ServiceName = keyof typeof plan
export type Operation = { [S in ServiceName]: keyof (typeof plan)[S]['operations'] }[ServiceName]

export const serviceNames = Object.keys(plan) as ServiceName[]

/** The operations of `service`, as its spans are named. */
export function operationsOf(service: ServiceName): string[] {
  return Object.keys(plan[service].operations)
}

/** What an operation asks its service's peer for. */
export function outsidePathOf(service: ServiceName, operation: string): string {
  const paths: Record<string, string> = plan[service].operations
  const path = paths[operation]
  if (path === undefined) {
    const known = operationsOf(service).join(', ')
    throw new Error(`Cannot find operation "${operation}" of ${service}; it has ${known}`)
  }
  return path
}
