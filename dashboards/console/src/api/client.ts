// The API, typed by its own OpenAPI document (schema.d.ts is generated from it). Every failure becomes one kind of error
// that says what to do.
import createClient from 'openapi-fetch'
import type { components, paths } from './schema.d.ts'

export type Schemas = components['schemas']

const api = createClient<paths>({ baseUrl: '/', credentials: 'same-origin' })
export const { GET, POST, PUT, DELETE } = api

/** The API did not answer, or refused. */
export class Failure extends Error {
  override name = 'Failure'
  /** 0 where no answer came. */
  readonly status: number
  readonly requestId: string | undefined

  constructor(message: string, { status, requestId, cause }: { status: number; requestId?: string; cause?: unknown }) {
    super(message, { cause })
    this.status = status
    this.requestId = requestId
  }
}

interface Answer<Data> {
  data?: Data
  error?: unknown
  response: Response
}

/** The data of an answer; throws a {@link Failure} that can be shown as it is. */
export async function dataOf<Data>(asked: Promise<Answer<Data>>): Promise<NonNullable<Data>> {
  const { data, error, response } = await asked.catch((cause: unknown): never => {
    throw new Failure('Headwater does not answer. Is it still running, and is this machine still connected?', {
      status: 0,
      cause,
    })
  })
  if (response.ok) return data ?? ({} as NonNullable<Data>)
  throw failureOf(error, response.status)
}

function failureOf(body: unknown, status: number): Failure {
  const told = (body as Partial<Schemas['Error']> | undefined)?.error
  if (told === undefined) return new Failure(`Headwater answered with status ${status} and no reason`, { status })
  const details = told.details.map(({ field, message }) => `${field}: ${message}`).join('; ')
  return new Failure(details === '' ? told.message : `${told.message} (${details})`, {
    status,
    requestId: told.requestId,
  })
}

/** Asks a relative URL that the API itself gave, such as that of the series behind a number. */
export async function follow<Data>(path: string): Promise<Data> {
  const url = new URL(path, location.origin)
  // Whatever an answer says, nobody but our own API is asked.
  if (url.origin !== location.origin || !url.pathname.startsWith('/api/v1/')) {
    throw new Failure('This answer points elsewhere than to Headwater', { status: 0 })
  }
  const response = await fetch(url, { credentials: 'same-origin' }).catch((cause: unknown): never => {
    throw new Failure('Headwater does not answer', { status: 0, cause })
  })
  const body: unknown = await response.json().catch(() => undefined)
  if (!response.ok) throw failureOf(body, response.status)
  return body as Data
}
