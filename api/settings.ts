import { holds, parseAddress, parseRange } from '@headwater/vocabulary'
import { z } from 'zod'

export interface ApiSettings {
  host: string
  /** 0 means any free port. */
  port: number
  /** Asked of every request that shows or changes data. */
  token?: string | undefined
}

/** An environment variable has a value that we cannot use. */
export class SettingsRefused extends Error {
  override name = 'SettingsRefused'
}

const portForm = z
  .string()
  .regex(/^\d{1,5}$/)
  .transform(Number)
  .refine((port) => port <= 65_535)

/**
 * Reads `HEADWATER_HOST`, `HEADWATER_PORT` and `HEADWATER_TOKEN`. Empty means unset. Throws {@link SettingsRefused} on a
 * value that cannot be used, and when others than this machine could read everything without a token.
 */
export function readApiSettings(env: Readonly<Record<string, string | undefined>>): ApiSettings {
  const port = portForm.safeParse(env['HEADWATER_PORT'] || '8012')
  if (!port.success) {
    throw new SettingsRefused(
      `Cannot use HEADWATER_PORT="${env['HEADWATER_PORT']}": set a port from 1 to 65535, or 0 for any free one`,
    )
  }
  const host = env['HEADWATER_HOST'] || '127.0.0.1'
  if (!/^[\w.:%-]+$/.test(host)) {
    throw new SettingsRefused(`Cannot use HEADWATER_HOST="${host}": set an address of this machine, such as 127.0.0.1`)
  }
  const token = env['HEADWATER_TOKEN'] || undefined
  if (token !== undefined && !/^[\u0021-\u007e]+$/.test(token)) {
    throw new SettingsRefused(
      'Cannot use HEADWATER_TOKEN (its value is not shown): set printable ASCII characters without spaces, ' +
        'for example what `openssl rand -hex 32` prints',
    )
  }
  if (token === undefined && !isLoopback(host)) {
    throw new SettingsRefused(
      `Cannot use HEADWATER_HOST="${host}" without a token, since everybody who reaches it could read the telemetry: ` +
        'set HEADWATER_TOKEN, or leave HEADWATER_HOST at 127.0.0.1',
    )
  }
  return { host, port: port.data, token }
}

const loopbackRanges = ['127.0.0.0/8', '::1/128'].map((text) => parseRange(text))

/** Whether only this machine reaches `host`: a name or an address, in brackets or not. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
  if (name === 'localhost' || name.endsWith('.localhost')) return true
  const address = parseAddress(name)
  return address !== undefined && loopbackRanges.some((range) => range !== undefined && holds(range, address))
}
