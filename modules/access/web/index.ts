// Access beyond the defaults (§2.4, §2.5): the application, its decision, the grants made under it.
import type { RouteRecordRaw } from 'vue-router'
import type { CaseView, PlaceLook } from '@/kernel/modules'

export const routes: RouteRecordRaw[] = [
  { path: '/apply/:number?', name: 'apply', component: () => import('./ApplyPage.vue'), meta: { title: 'nav.apply' } },
  { path: '/grants', name: 'grants', component: () => import('./GrantsPage.vue'), meta: { title: 'nav.grants' } },
]

export const places: PlaceLook[] = [{ name: 'grants', at: ['cases'] }]

const application = () => import('./AccessCase.vue')
const grants = () => import('./GrantsCase.vue')
export const case_view: Record<string, CaseView> = {
  access: {
    show: application,
    form: { page: 'apply', label: 'nav.apply', chapter: '2.4', sheet: () => import('./ApplicationSheet.vue') },
  },
  renewal: { show: application },
  confirmation: { show: grants },
  change: { show: grants },
  revocation: { show: grants },
}

export const shows = { grant: (number: string) => ({ name: 'grants', hash: `#${number}` }) }
