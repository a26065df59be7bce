/** Of this package; a test compares it with the manifest. */
export const agentVersion = '0.1.0'
