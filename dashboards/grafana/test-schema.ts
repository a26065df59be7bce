// Grafana's own schema of a dashboard, as JSON Schema: made from the types that the SDK publishes, which are made from it. No
// property is allowed that it does not know. Options of panels are checked where the code is, by the SDK's types.
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv, type SchemaObject } from 'ajv'
import { createGenerator } from 'ts-json-schema-generator'

const sdk = dirname(dirname(fileURLToPath(import.meta.resolve('@grafana/grafana-foundation-sdk/cog'))))

/** Returns what tells, of a parsed file, what is not of the schema; nothing where all is. */
export function dashboardChecker(): (file: unknown) => string[] {
  const schema = createGenerator({
    path: `${sdk}/dashboard/types.gen.d.ts`,
    type: 'Dashboard',
    skipTypeCheck: true,
    functions: 'hide',
    additionalProperties: false,
  }).createSchema('Dashboard')
  // Each data source has queries of its own.
  const definitions = { ...schema.definitions, Dataquery: {} }
  const validate = new Ajv({ strict: false, allErrors: true }).compile({ ...schema, definitions } as SchemaObject)
  return (file) => {
    validate(file)
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
  }
}
