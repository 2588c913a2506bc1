// Lost and found student cards: the list that everybody may look at, and the report of whoever found one.
import type { RouteRecordRaw } from 'vue-router'
import type { PlaceLook } from '@/kernel/modules'

export const routes: RouteRecordRaw[] = [
  { path: '/lost-cards', name: 'lost_card', component: () => import('./LostCardPage.vue'), meta: { title: 'lost_card.title' } },
]

export const places: PlaceLook[] = [{ name: 'lost_card', hint: 'lost_card.hint', clause: '2.3.1', at: ['me'] }]
