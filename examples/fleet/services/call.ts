import type { z } from 'zod'
import type { ServiceName } from '../plan.ts'
import { resolveFleetNames } from '../names.ts'
import { nextInstance } from './directory.ts'
import { CalleeFailed, InputRefused, understood } from './problems.ts'

/** Nobody waits longer than this for another service. */
export const callTimeoutMs = 2_000

resolveFleetNames()

/** Asks another service for something: GET without a body, POST with one. */
export async function call<T>(service: ServiceName, path: string, form: z.ZodType<T>, body?: unknown): Promise<T> {
  const { port } = await nextInstance(service)
  const response = await answerFrom(service, path, `http://${service}:${port}${path}`, body)
  const text = await response.text()
  if (response.ok) return understood(form, JSON.parse(text), `${service} ${path}`)
  if (response.status < 500) throw new InputRefused(`${service} refused ${path}: ${text}`)
  throw new CalleeFailed(`Cannot get ${path} from ${service}: it answered ${response.status}`, {
    cause: new Error(text.slice(0, 500)),
  })
}

async function answerFrom(service: ServiceName, path: string, url: string, body: unknown): Promise<Response> {
  try {
    const signal = AbortSignal.timeout(callTimeoutMs)
    if (body === undefined) return await fetch(url, { signal })
    const headers = { 'content-type': 'application/json' }
    return await fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal })
  } catch (error) {
    // fetch hides what happened ("fetch failed") one level down.
    const cause = error instanceof TypeError && error.cause !== undefined ? error.cause : error
    throw new CalleeFailed(`Cannot reach ${service} for ${path}`, { cause })
  }
}
