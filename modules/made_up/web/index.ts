// A made-up university shows itself: who one may be in it, and one question as six kinds of people see it.
import type { RouteRecordRaw } from 'vue-router'
import type { PlaceLook } from '@/kernel/modules'

export const routes: RouteRecordRaw[] = [
  { path: '/same-question', name: 'same', component: () => import('./SamePage.vue'), meta: { open: true, title: 'nav.same' } },
]

export const places: PlaceLook[] = [
  {
    name: 'same', icon: 'M3 4h4v12H3zM8 4h4v12H8zM13 4h4v12h-4z', phone: 'if_room', at: ['rail'],
  },
]

export const entrance = () => import('./PersonsHall.vue')
