/** The names that the front itself needs, with the codes and HTTP states that ClickHouse gives them. */
const codes = {
  SYNTAX_ERROR: 62,
  NOT_IMPLEMENTED: 48,
  UNKNOWN_FORMAT: 73,
  UNKNOWN_TYPE_OF_QUERY: 78,
  UNKNOWN_SETTING: 115,
  TOO_MANY_SIMULTANEOUS_QUERIES: 202,
  QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING: 216,
  ABORTED: 236,
  CANNOT_DECOMPRESS: 271,
  TOO_MANY_BYTES: 307,
  INTO_OUTFILE_NOT_ALLOWED: 358,
  QUERY_WAS_CANCELLED: 394,
  BAD_REQUEST_PARAMETER: 408,
  AUTHENTICATION_FAILED: 516,
  STD_EXCEPTION: 1001,
} as const

/** An error in the words of ClickHouse: clients take code and type from its text. */
export class ClickHouseException extends Error {
  readonly code: number
  readonly text: string

  constructor(code: number, text: string, cause?: unknown) {
    super(text, { cause })
    this.name = 'ClickHouseException'
    this.code = code
    this.text = text
  }
}

/** The front's own refusals, written as the server would write them. */
export function exception(type: keyof typeof codes, message: string, cause?: unknown): ClickHouseException {
  return new ClickHouseException(codes[type], `Code: ${codes[type]}. DB::Exception: ${message} (${type})`, cause)
}

/** Makes the engine's errors (and bugs) exceptions; paths of the spool are nobody's business. */
export function toException(error: unknown): ClickHouseException {
  if (error instanceof ClickHouseException) return error
  const message = error instanceof Error ? error.message : String(error)
  const text = message.replace(/^Query failed: /, '').replace(/:? \(in file\/uri [^)]*\)/g, '')
  const code = /Code: (\d+)\. /.exec(text)?.[1]
  if (code !== undefined) return new ClickHouseException(Number(code), text.trimEnd(), error)
  return exception('STD_EXCEPTION', message, error)
}

const badRequest = [
  6, 25, 26, 27, 36, 38, 41, 42, 43, 44, 53, 62, 69, 72, 117, 131, 376, 386, 395, 408, 441, 456, 457, 467,
]
const notFound = [46, 47, 50, 56, 60, 73, 78, 81, 115]
const statusByCode = new Map<number, number>([
  ...badRequest.map((code) => [code, 400] as const),
  ...notFound.map((code) => [code, 404] as const),
  [codes.NOT_IMPLEMENTED, 501],
  [codes.TOO_MANY_SIMULTANEOUS_QUERIES, 503],
  [codes.ABORTED, 503],
  [codes.TOO_MANY_BYTES, 413],
  [codes.AUTHENTICATION_FAILED, 403],
  [159, 408],
  [497, 403],
])

/** The HTTP status that goes with an exception; 500 unless ClickHouse has a better one. */
export function httpStatus(code: number): number {
  return statusByCode.get(code) ?? 500
}
