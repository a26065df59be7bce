import type { Plan } from '../plan.ts'
import type { Installation } from './installation.ts'

export interface AgentPlan extends Plan {
  installation: Installation
  /** A directory for Node's profiles of the services, one folder for each kind. */
  profile: string | undefined
}
