import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// `npx vite` in this folder serves the sources while one works on them; HEADWATER_API says whose data they show.
const api = process.env['HEADWATER_API'] ?? 'http://127.0.0.1:8012'

export default defineConfig({
  plugins: [react()],
  root: import.meta.dirname,
  build: {
    // Nothing is put into the page itself: its policy allows neither scripts nor styles within it.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2023',
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2_000,
  },
  server: { proxy: { '/api': api, '/openapi.json': api, '/ws': { target: api, ws: true } } },
})
