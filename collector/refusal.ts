/** The codes of google.rpc.Code that answers use. */
export const rpcCode = {
  invalidArgument: 3,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  unavailable: 14,
  internal: 13,
  unauthenticated: 16,
}

const rpcCodeOf = {
  400: rpcCode.invalidArgument,
  401: rpcCode.unauthenticated,
  404: rpcCode.notFound,
  405: rpcCode.unimplemented,
  413: rpcCode.resourceExhausted,
  415: rpcCode.invalidArgument,
  429: rpcCode.resourceExhausted,
  500: rpcCode.internal,
  503: rpcCode.unavailable,
} as const

export type RefusalStatus = keyof typeof rpcCodeOf

/** Why a request is not taken, told to the client as a google.rpc.Status. With a delay it may come again, else never. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: RefusalStatus
  readonly retryAfterS: number | undefined

  constructor(
    status: RefusalStatus,
    message: string,
    { retryAfterS, cause }: { retryAfterS?: number; cause?: unknown } = {},
  ) {
    super(message, { cause })
    this.status = status
    this.retryAfterS = retryAfterS
  }

  get rpcCode(): number {
    return rpcCodeOf[this.status]
  }
}
