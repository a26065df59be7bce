import { z } from 'zod'

/** How much the collector keeps when more comes than it was given room for. */
export interface SamplingSettings {
  /** Spans a second; none keeps all. */
  spansPerSecond?: number
}

/** Below a hundred spans a second there is too little left to tell rates from. */
const spansPerSecondMin = 100
const spansPerSecondMax = 100_000_000

const schemas = {
  HEADWATER_SPAN_BUDGET: {
    schema: z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number)
      .refine((number) => number >= spansPerSecondMin && number <= spansPerSecondMax)
      .optional(),
    mend: `give spans per second from ${spansPerSecondMin} to ${spansPerSecondMax}, such as 20000, or nothing to keep all`,
  },
}

/** Reads the part of the environment that bounds what is kept; an empty variable counts as unset. Errors name variable, value and mend. */
export function readSamplingSettings(env: NodeJS.ProcessEnv): SamplingSettings {
  const spansPerSecond = read(env, 'HEADWATER_SPAN_BUDGET')
  return spansPerSecond === undefined ? {} : { spansPerSecond }
}

function read(env: NodeJS.ProcessEnv, name: keyof typeof schemas): number | undefined {
  const { schema, mend } = schemas[name]
  const value = env[name]?.trim() || undefined
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new Error(`${name} is ${JSON.stringify(value?.slice(0, 200))}: ${mend}`)
  return parsed.data
}
