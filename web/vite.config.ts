import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

// Pages of modules lie in modules/NAME/web, outside this folder; what they import by name is found in its packages.
const packages = ['vue', 'vue-router', 'vitest']

// During development the pages are served here and the API by the server named in JIAOWU_SERVER.
const server = process.env.JIAOWU_SERVER ?? 'http://127.0.0.1:8080'

export default defineConfig({
  plugins: [vue()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) }, dedupe: packages },
  build: {
    target: 'es2022',
    // A strict Content-Security-Policy allows files of our own only: nothing is inlined as data: or script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
  },
  server: { host: '127.0.0.1', fs: { allow: ['..'] }, proxy: { '/api': server, '/healthz': server } },
  test: { environment: 'jsdom', include: ['src/**/*.test.ts', '../modules/*/web/**/*.test.ts'] },
})
