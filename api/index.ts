export { type ApiParts, createApi } from './app.ts'
export type { Readiness } from './routes/health.ts'
export { type ApiSettings, readApiSettings, SettingsRefused } from './settings.ts'
export { type ApiOptions, ApiStartError, type RunningApi, startApi } from './start.ts'
