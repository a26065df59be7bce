import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import type { SetSpan } from './rebuild-trace.ts'

/** An incident of the set, with its answer. Services are named as in the spans. */
export interface SetIncident {
  name: string
  culprits: string[]
  fault: string
  firstUs: number
  lastUs: number
}

export interface SetTrace {
  id: string
  spans: SetSpan[]
}

const incidents = z.array(
  z.object({
    incident: z.string(),
    root_causes: z.array(z.string()),
    fault: z.string(),
    first_us: z.number(),
    last_us: z.number(),
  }),
)

/** The part's name, `dev` or `heldout`, is the archive's. */
export async function readIncidents(folder: string, part: string): Promise<SetIncident[]> {
  const found = incidents.parse(JSON.parse(await readFile(join(folder, `incidents.${part}.json`), 'utf8')))
  return found.map(({ incident, root_causes, fault, first_us, last_us }) => ({
    name: incident,
    culprits: root_causes.map(shortName),
    fault,
    firstUs: first_us,
    lastUs: last_us,
  }))
}

/** The spans' names lack what the answers' names begin and end with. */
function shortName(service: string): string {
  return service === 'ts-ui-dashboard' ? service : service.replace(/^ts-/, '').replace(/-service$/, '')
}

const trace = z.object({
  id: z.string(),
  spans: z.array(z.tuple([z.string(), z.string(), z.number(), z.number(), z.number()], z.unknown())),
})

export async function readTraces(folder: string, incident: string): Promise<SetTrace[]> {
  const traces: SetTrace[] = []
  for await (const line of linesOf(join(folder, 'incidents', `${incident}.jsonl`))) {
    const { id, spans } = trace.parse(JSON.parse(line))
    traces.push({
      id,
      spans: spans.map(([caller, callee, startUs, latencyUs, status]) => ({
        caller,
        callee,
        startUs,
        latencyUs,
        status,
      })),
    })
  }
  return traces
}

const affected = z.object({ incident: z.string(), affected: z.array(z.string()) })

/** The traces that each incident's fault has reached. For scoring only. */
export async function readAffected(folder: string, part: string): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>()
  for await (const line of linesOf(join(folder, `affected_traces.${part}.jsonl`))) {
    const { incident, affected: ids } = affected.parse(JSON.parse(line))
    found.set(incident, new Set(ids))
  }
  return found
}

function linesOf(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path), crlfDelay: Infinity })
}
