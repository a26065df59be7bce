import { Command, InvalidArgumentError } from 'commander'
import { addAlertCommands } from './alert.ts'
import { doctor, doctorReport } from './doctor.ts'
import { doctorService, serviceReport } from './doctor-service.ts'
import { explain, type ExplainOptions } from './explain.ts'
import { addKeyCommands } from './keys.ts'
import { migrate, runAlerts, runAnalyzer, runApi, runCollector } from './stations.ts'
import { up } from './up.ts'

const environment = `
Environment (empty equals unset)
  HEADWATER_DATA          data directory of the embedded engines (.headwater)
  CLICKHOUSE_URL          a ClickHouse server instead of the embedded one, http://user:password@host:8123/database
  DATABASE_URL            a PostgreSQL server instead of the embedded one, postgres://user:password@host:5432/database
  HEADWATER_OTLP_PORT     OTLP/HTTP (4318; 0 for any free port), HEADWATER_OTLP_HOST (127.0.0.1)
  HEADWATER_PORT          API (8012; 0 for any free port), HEADWATER_HOST (127.0.0.1; any other asks for a token)
  HEADWATER_TOKEN         asked as Authorization: Bearer of every request to the API
  HEADWATER_RETENTION     days to keep spans (30); facts are kept for 180
  HEADWATER_DISK_MAX      such as 20GB: the oldest days are dropped above it
  HEADWATER_ACK           logged: a request is acknowledged once its records are in the log on disk; stored: in ClickHouse (logged)
  HEADWATER_LOG_MAX       what the collector's log may take on disk (4GiB); beyond, senders are asked to come again
  HEADWATER_REDACT        a JSON file of rules: what to drop, hash or mask before anything touches the disk
  HEADWATER_HASH_KEY      secret for hashed values, the same for all collectors
  HEADWATER_SPAN_BUDGET   spans per second that are kept; beyond, whole runs are shed, failed and slow ones last
  HEADWATER_CORS_ORIGINS  origins of web pages that may send spans
  HEADWATER_KEYS          file of the keys that senders have to show, made by \`headwater keys add\`; unset, none is asked for
  HEADWATER_ALERTS        a YAML file of where alerts go and which; unset, nobody is alerted
  HEADWATER_PUBLIC_URL    where people open the console: links in alerts lead there (http://localhost:8012)
  HEADWATER_OTLP_TLS_CERT PEM file with a certificate: OTLP comes over TLS; HEADWATER_OTLP_TLS_KEY has its private key`

/** Runs the command line. Errors end as one line on stderr and exit code 1. */
export async function main(argv: string[]): Promise<void> {
  const program = new Command('headwater')
    .description('Where it started, what it reaches, what to do: incidents explained from OpenTelemetry data.')
    .addHelpText(
      'after',
      `${environment}\n\nFirst steps\n  headwater up\n  OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 node --import @headwater/agent/register app.js`,
    )
    .showHelpAfterError()
  program
    .command('up')
    .description('collector, analyzer, API and alerts in one process, on embedded engines unless servers are named')
    .addHelpText('after', environment)
    .action(up)
  program.command('collector').description('only the collector, on engines that run already').action(runCollector)
  program
    .command('analyzer')
    .description('only the analyzer, on engines that run already; of several, one leads')
    .action(runAnalyzer)
  program
    .command('alerts')
    .description('only the alerts, on engines that run already; of several, one sends')
    .action(runAlerts)
  program.command('api').description('only the API, on engines that run already').action(runApi)
  program
    .command('migrate')
    .description('bring both databases up to this version; idempotent; refuses a database newer than the code')
    .option('--json', 'print the report as JSON')
    .action(async ({ json = false }: { json?: boolean }) => {
      const reports = await migrate()
      const lines = reports.map(
        ({ engine, applied, already }) =>
          `${engine}: ${applied.length} applied${applied.length === 0 ? '' : ` (${applied.join(', ')})`}, ${already.length} there already`,
      )
      process.stdout.write(json ? `${JSON.stringify(reports)}\n` : `${lines.join('\n')}\n`)
    })
  program
    .command('explain')
    .argument('[id]', 'a flow ID or a trace ID (32 hex digits, as in x-flow-id or traceparent), or an incident’s ID')
    .description('why a run failed, an incident, or a time of the past; without any of these, what is wrong now')
    .option('--from <time>', 'explain a time of the past: from here, RFC 3339 such as 2026-01-31T12:00:00Z')
    .option('--to <time>', 'up to here, at most six hours later')
    .option('--baseline-from <time>', 'what counts as normal (default: the day before --from, or what there is)')
    .option('--baseline-to <time>', 'up to here (default: --from)')
    .option('--url <url>', 'the API to ask (default: the one that runs in HEADWATER_DATA)')
    .option('--json', 'print the explanation as JSON')
    .action(async (id: string | undefined, options: ExplainOptions) => {
      process.stdout.write(await explain(id, options))
    })
  addAlertCommands(program.command('alert').description('what was told to whom, and what was not; try it out'))
  addKeyCommands(program.command('keys').description('who may send to the collector, when HEADWATER_KEYS is set'))
  program
    .command('doctor')
    .argument('[command...]', 'after --, what starts a service: what of it is captured, and by what, and what to mend')
    .description('what runs, what arrives, what is stored, and what to mend; or, of a service, what is captured')
    .option('--url <url>', 'the API to ask (default: the one that runs in HEADWATER_DATA)')
    .option('--seconds <n>', 'how long the service runs before it is told to end', readSeconds, 5)
    .option('--json', 'print the findings as JSON; what the service prints goes to stderr then')
    .addHelpText(
      'after',
      '\nOf a service\n  headwater doctor -- node app.js\n  headwater doctor --seconds 20 -- npm start',
    )
    .action(async (command: string[], { url, seconds, json = false }: DoctorOptions) => {
      if (command.length > 0 && !argv.includes('--')) {
        throw new Error(`unknown argument "${command[0]}": put -- before a command that starts a service`)
      }
      const findings =
        command.length > 0 ? await doctorService({ command, seconds, isOutputOurs: json }) : await doctor(url)
      const report = command.length > 0 ? serviceReport(findings) : doctorReport(findings)
      process.stdout.write(json ? `${JSON.stringify({ findings })}\n` : report)
      if (findings.some(({ status }) => status === 'bad')) process.exitCode = 1
    })
  try {
    await program.parseAsync(argv)
  } catch (error) {
    process.stderr.write(`headwater: ${oneLine(error)}\n`)
    process.exit(1)
  }
}

interface DoctorOptions {
  url?: string
  seconds: number
  json?: boolean
}

function readSeconds(text: string): number {
  const seconds = Number(text)
  if (seconds > 0 && seconds <= 3_600) return seconds
  throw new InvalidArgumentError('give seconds, up to an hour')
}

function oneLine(error: unknown): string {
  const said = messageOf(error)
  return error instanceof Error && error.cause instanceof Error ? `${said} (${messageOf(error.cause)})` : said
}

function messageOf(error: unknown): string {
  // A name with several addresses fails with one error for each, and no message of its own.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ')
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ')
}
