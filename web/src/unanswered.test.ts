// "Could not be asked" is never shown as "there is nothing": on every page, of the shell and of the modules, each request that it
// makes when it opens fails once alone, and the page has to say so.
import { flushPromises, mount } from '@vue/test-utils'
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { h } from 'vue'
import { RouterView, type RouteRecordNormalized } from 'vue-router'
import type { CaseFile } from '@/api/cases'
import type { Me } from '@/api/types'
import { kept_forget } from '@/kernel/kept'
import { module_places } from '@/kernel/modules'
import { use_session } from '@/kernel/session'
import { router } from './router'

const text = { zh: '某', en: 'some' }
const away = { type: 'test.away', status: 503, title: { zh: '暂时问不到', en: 'away' } }
const datasets = [
  'grade', 'meeting', 'term', 'section', 'student', 'class', 'warning', 'status_change', 'case', 'deputy', 'access_log', 'unit', 'graduation', 'access_grant',
  'calendar_change',
]
const posts = ['student', 'teacher', 'class_adviser', 'department_head', 'academic_office', 'security_admin']
const places = ['home', 'cases', 'desk', 'deputies', ...module_places.map((place) => place.name), 'me']
const me: Me = {
  account: 'T1', kind: 'teacher', name: '甲', number: 'T1', due: [], now: '2026-11-24T09:00:00+08:00',
  posts: posts.map((name) => ({ name, label: text, clause: '2.1.1', units: ['jwc'] })), factor: { enrolled: false, recovery_left: 0 },
  modules: [{ name: 'all', label: text, icon: '', datasets: datasets.map((name) => ({ name, label: text, basis: [] })) }],
  store: { made_up: true, school: text },
  places: places.map((name) => ({ name, label: text })),
}
const file: CaseFile = {
  number: '2026-0001', revision: 1, title: '某', kind: { name: 'access', label: text, clause: '2.4.1' },
  state: { name: 'draft', label: text, closed: false, tone: 'plain' },
  waits_for: { name: 'head', label: text }, applicant: { account: 'T2', name: '乙', mine: false }, opened: me.now, arrived: me.now,
  due: { at: '2026-12-01T00:00:00+08:00', last: '2026-11-30', days: 4, provisional: false, lateness: 'in_time' }, fields: [], words: { fields: [] },
  steps: [], letters: [], attachments: [], signature_key: '', record: '', may_attach: true, printable: true,
  actions: [{ action: 'approve', label: text, allowed: true, opinion: 'none', signs: false, tone: 'good', once: false, in_form: false, takes: ['granted'] }],
}
const description = { label: text, module: 'all', key: ['id'], order: [], show: [], purposes: ['study'], actions: ['query'], basis: [], fields: [] }

// What a healthy server says when there is nothing; of its own paths each module says so in modules/NAME/web/nothing.ts.
const of_modules = Object.values(import.meta.glob<Record<string, unknown>>('../../modules/*/web/nothing.ts', { eager: true, import: 'nothing' }))
const nothing: Record<string, unknown> = Object.assign(
  {
    '/api/query': { columns: [], rows: [], hidden: { fields: {}, cells: [] }, next: null, scope: { text, basis: [] }, record: '' },
    '/api/deputies/offer': { posts: [], by_name: false },
    '/api/calendar': { version: 1, year: 2026, today: '2026-11-24', first_year: 2026, last_year: 2026, working_days: 0, days: [], windows: [] },
    [`/api/cases/${file.number}`]: file,
    [`/api/cases/${file.number}/approve`]: file,
    '/api/verify/ABC': { number: '', kind: 'export', sha256: '', state: 'valid' },
  },
  ...of_modules,
)
function said(path: string): unknown {
  if (path.startsWith('/api/datasets/')) return { name: path.split('/').at(-1), ...description }
  if (!(path in nothing)) unknown.add(path)
  return nothing[path] ?? {}
}
const unknown = new Set<string>()

// Requests are told apart by what they ask of which dataset.
const asked_of = (path: string, body: string | undefined) => {
  if (path !== '/api/query') return path
  const query = JSON.parse(body ?? '{}') as { dataset: string; fields?: string[]; where?: unknown; limit?: number }
  return `${path} ${query.dataset} ${query.fields?.join() ?? ''} ${query.limit ?? ''}`
}

// Parts of pages load by themselves; what they ask follows.
async function settled() {
  for (let round = 0; round < 8; ++round) {
    await flushPromises()
    await new Promise((done) => setTimeout(done, 5))
  }
}

async function opened(route: RouteRecordNormalized, fails: (key: string) => boolean, act?: () => void) {
  const asked = new Set<string>()
  vi.stubGlobal('scrollTo', () => {})
  vi.stubGlobal('matchMedia', () => ({ matches: true, addEventListener: () => {}, removeEventListener: () => {} }))
  vi.stubGlobal('fetch', async (url: string, init: { body?: string }) => {
    const path = url.split('?')[0]!
    const key = asked_of(path, init.body)
    asked.add(key)
    return fails(key) ? Response.json(away, { status: 503 }) : Response.json(said(path))
  })
  const pinia = createPinia()
  setActivePinia(pinia)
  kept_forget()
  const session = use_session()
  session.me = me
  session.known = true
  await router.push(route.path.replace(/:number\??/, file.number).replace(':dataset', 'grade').replace(':code?', 'ABC'))
  const page = mount({ render: () => h(RouterView) }, { global: { plugins: [pinia, router] }, attachTo: document.body })
  await settled()
  act?.()
  if (act) await settled()
  const shown = document.body.outerHTML
  page.unmount()
  await router.push('/nowhere')
  return { asked: [...asked], shown }
}

// Only a name stands in for a code here: the code is shown instead.
const kNames = [/^\/api\/query unit code,name/]

afterEach(() => vi.unstubAllGlobals())

describe('a page of which one request fails', () => {
  const routes = router.getRoutes().filter((route) => route.name !== 'lost')
  it('is every page there is', () => expect(routes.length).toBeGreaterThan(20))
  for (const route of routes) {
    it(`says so: ${String(route.name)}`, async () => {
      const { asked, shown } = await opened(route, () => false)
      expect(shown).not.toContain(away.title.zh)
      for (const key of asked) {
        if (kNames.some((one) => one.test(key))) continue
        const failed = await opened(route, (one) => one === key)
        expect(failed.asked, `${key} is asked again`).toContain(key)
        expect(failed.shown.includes(away.title.zh), `${String(route.name)} says nothing when ${key} fails`).toBe(true)
      }
    }, 30_000)
  }
  it('asks nothing of which this test does not know the healthy answer', () => expect([...unknown]).toEqual([]))
  it('says so after a step, when what is next cannot be asked', async () => {
    const press = () => document.querySelector<HTMLElement>('.case .buttons button')!.click()
    const { asked, shown } = await opened(routes.find((route) => route.name === 'case')!, (key) => key.startsWith('/api/query case '), press)
    expect(asked).toContain(`/api/cases/${file.number}/approve`)
    expect(shown).toContain(away.title.zh)
  })
})
