// Permission administration (§2.1.1): what each post sees by default, and how two people change it.
import type { RouteRecordRaw } from 'vue-router'
import type { Place } from '@/kernel/modules'
import { shapes } from '@/parts/shapes'

export const routes: RouteRecordRaw[] = [
  { path: '/regulation', name: 'regulation', component: () => import('./RegulationPage.vue'), meta: { title: 'nav.regulation' } },
]

export const places: Place[] = [
  {
    name: 'regulation', label: 'nav.regulation', icon: shapes.lock, at: ['rail'],
    open: ({ has_post }) => ['academic_office', 'security_admin', 'audit_admin'].some(has_post),
  },
]
