import { readRunFile, readStoreSettings } from '@headwater/store'

/** The API that runs in the data directory, or the one asked for. */
export function apiUrl(asked: string | undefined): string {
  if (asked !== undefined) {
    if (!URL.canParse(asked)) throw new Error(`--url is "${asked}": give a URL such as http://127.0.0.1:8012`)
    return asked.replace(/\/+$/, '')
  }
  const { dataDir } = readStoreSettings(process.env)
  const url = readRunFile(dataDir)?.apiUrl
  if (url === undefined) {
    throw new Error(`Cannot find the API: nothing runs in ${dataDir}. Start \`headwater up\` there, or give --url`)
  }
  return url
}

/** Asks the API; an error of its own is told in its own words. */
export async function ask(base: string, path: string, withinMs = 15_000): Promise<Response> {
  const token = process.env['HEADWATER_TOKEN']
  try {
    return await fetch(`${base}${path}`, {
      headers: token === undefined || token === '' ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(withinMs),
    })
  } catch (cause) {
    throw new Error(`Cannot reach the API at ${base}`, { cause })
  }
}

/** The message of an error answer. */
export async function refusalOf(response: Response): Promise<string> {
  const body: unknown = await response.json().catch(() => undefined)
  if (typeof body === 'object' && body !== null && 'error' in body) {
    const { error } = body
    if (typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string')
      return [error.message, ...detailsOf(error)].join('; ')
  }
  return `the API answered ${response.status}`
}

/** Which parameter is wrong, and how to mend it. */
function detailsOf(error: object): string[] {
  if (!('details' in error) || !Array.isArray(error.details)) return []
  return error.details.map(
    (detail: { field?: unknown; message?: unknown }) => `${String(detail.field)}: ${String(detail.message)}`,
  )
}
