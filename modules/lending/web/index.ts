// Lending and impersonation (§2.5.3): the desk where people judge what was seen, and the case of a suspended account.
import type { RouteRecordRaw } from 'vue-router'
import type { CaseView, PlaceLook } from '@/kernel/modules'

export const routes: RouteRecordRaw[] = [
  { path: '/lending', name: 'lending', component: () => import('./LendingPage.vue'), meta: { title: 'nav.lending' } },
]

export const places: PlaceLook[] = [
  {
    name: 'lending', hint: 'lending.open', clause: '2.5.3', at: ['me'],
  },
]

export const case_view: Record<string, CaseView> = { suspension: { show: () => import('./SuspensionCase.vue') } }
