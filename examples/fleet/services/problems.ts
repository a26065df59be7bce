import { z, ZodError } from 'zod'

/** What the caller sent cannot be worked with. */
export class InputRefused extends Error {
  override readonly name = 'InputRefused'
  readonly status = 422
}

/** A service that we need did not do its part. The cause says why. */
export class CalleeFailed extends Error {
  override readonly name = 'CalleeFailed'
  readonly status = 502
}

export interface Answer {
  status: 400 | 422 | 500 | 502
  body: { error: { message: string; cause?: string } }
}

/** What `from` answered, if it has the form that was agreed. */
export function understood<T>(form: z.ZodType<T>, answerOfCallee: unknown, from: string): T {
  const { data, error } = form.safeParse(answerOfCallee)
  if (error) throw new CalleeFailed(`Cannot understand ${from}: ${z.prettifyError(error)}`, { cause: error })
  return data
}

/** How an error is told to the caller. */
export function answerTo(error: unknown): Answer {
  if (error instanceof ZodError) {
    const issue = error.issues[0]
    return answer(400, `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'malformed'}`)
  }
  if (error instanceof SyntaxError && 'status' in error) return answer(400, `body: ${error.message}`)
  if (error instanceof InputRefused) return answer(422, error.message)
  if (error instanceof CalleeFailed) return answer(502, error.message, messageOf(error.cause))
  return answer(500, messageOf(error) ?? 'unknown')
}

function answer(status: Answer['status'], message: string, cause?: string): Answer {
  return { status, body: { error: { message, ...(cause === undefined ? {} : { cause }) } } }
}

function messageOf(error: unknown): string | undefined {
  return error instanceof Error ? error.message : undefined
}
