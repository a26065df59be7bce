export { rehearse, type Rehearsal } from './alerts/rehearsal.ts'
export { type AlertSettings, AlertsRefused, readAlertSettings } from './alerts/settings.ts'
export { type Alerts, startAlerts } from './alerts/start.ts'
