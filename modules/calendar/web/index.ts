// The calendar of working days (§2.4.2): read by everybody, kept by the academic affairs office.
import type { RouteRecordRaw } from 'vue-router'
import type { PlaceLook } from '@/kernel/modules'

export const routes: RouteRecordRaw[] = [
  { path: '/calendar', name: 'calendar', component: () => import('./CalendarPage.vue'), meta: { title: 'nav.calendar' } },
]

export const places: PlaceLook[] = [
  {
    name: 'calendar', hint: 'calendar.hint', clause: '2.4.2', at: ['rail', 'me'],
    icon: 'M3 4.5h14V17H3zM3 8.2h14M7 2.8v3M13 2.8v3M7.2 12.8l2 2 3.6-4',
  },
]
