// Permission administration (§2.1.1): what each post sees by default, and how two people change it.
import type { RouteRecordRaw } from 'vue-router'
import type { PlaceLook } from '@/kernel/modules'
import { shapes } from '@/parts/shapes'

export const routes: RouteRecordRaw[] = [
  { path: '/regulation', name: 'regulation', component: () => import('./RegulationPage.vue'), meta: { title: 'nav.regulation' } },
]

export const places: PlaceLook[] = [
  {
    name: 'regulation', icon: shapes.lock, at: ['rail'],
  },
]
