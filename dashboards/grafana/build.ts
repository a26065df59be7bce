// Writes the dashboards to `json/`, from where Grafana reads them. Kept in git, so that nothing needs to be built to use them.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { dashboards, fileOf } from './dashboards.ts'

const directory = join(import.meta.dirname, 'json')
mkdirSync(directory, { recursive: true })
for (const [name, dashboard] of Object.entries(dashboards))
  writeFileSync(join(directory, `${name}.json`), fileOf(dashboard))
