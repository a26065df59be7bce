import { agents } from './agents.ts'
import { flows } from './flows.ts'
import { incidents } from './incidents.ts'
import { ingest } from './ingest.ts'
import { services } from './services.ts'

/** All dashboards, by the name of their file. */
export const dashboards = {
  services: services.build(),
  flows: flows.build(),
  incidents: incidents.build(),
  ingest: ingest.build(),
  agents: agents.build(),
}

/** A dashboard as Grafana reads it from a file. */
export function fileOf(dashboard: (typeof dashboards)[keyof typeof dashboards]): string {
  return `${JSON.stringify(dashboard, null, 2)}\n`
}
