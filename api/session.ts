// A browser cannot send a header with a WebSocket, and a token in an address ends up in histories and logs. So the console
// gives the token once and gets a cookie that scripts cannot read and that other sites' requests do not carry. It holds no
// token, only a proof of one that ends by itself; a new token ends all sessions.
import { createHmac, timingSafeEqual } from 'node:crypto'

const cookieName = 'headwater_session'
const lastsS = 30 * 24 * 3_600

/** The cookie of a session that begins now, as `Set-Cookie` has it. */
export function sessionCookie({ token, nowMs, isSecure }: { token: string; nowMs: number; isSecure: boolean }): string {
  const endsS = Math.floor(nowMs / 1_000) + lastsS
  return cookieOf(`${endsS}.${proofOf(token, endsS)}`, { lastsS, isSecure })
}

/** A cookie that ends the session. */
export function endedSessionCookie({ isSecure }: { isSecure: boolean }): string {
  return cookieOf('', { lastsS: 0, isSecure })
}

/** Whether a `Cookie` header proves the token. */
export function provesToken(cookies: string | undefined, { token, nowMs }: { token: string; nowMs: number }): boolean {
  const given = (cookies ?? '')
    .split(';')
    .map((each) => each.trim())
    .find((each) => each.startsWith(`${cookieName}=`))
  const match = /^(\d{1,12})\.([\w-]{43})$/.exec(given?.slice(cookieName.length + 1) ?? '')
  if (match === null) return false
  const endsS = Number(match[1])
  const proof = Buffer.from(match[2] ?? '')
  return timingSafeEqual(proof, Buffer.from(proofOf(token, endsS))) && endsS * 1_000 > nowMs
}

function proofOf(token: string, endsS: number): string {
  return createHmac('sha256', token).update(`headwater session until ${endsS}`).digest('base64url')
}

function cookieOf(value: string, { lastsS: seconds, isSecure }: { lastsS: number; isSecure: boolean }): string {
  return `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${seconds}${isSecure ? '; Secure' : ''}`
}
