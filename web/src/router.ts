import { nextTick } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'
import { t, type Key } from './kernel/i18n'
import { module_routes } from './kernel/modules'
import { use_session } from './kernel/session'

declare module 'vue-router' {
  interface RouteMeta {
    title: Key
    open?: boolean // needs no session
    bare?: boolean // shown without the shell
    stranger?: boolean // read by people without an account: it does not even ask who one is
  }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/signin', name: 'signin', component: () => import('./pages/SignInPage.vue'), meta: { open: true, bare: true, title: 'nav.signin' } },
    { path: '/', name: 'home', component: () => import('./pages/HomePage.vue'), meta: { title: 'nav.home' } },
    { path: '/grades', name: 'grades', component: () => import('./pages/GradesPage.vue'), meta: { title: 'nav.grades' } },
    { path: '/timetable', name: 'timetable', component: () => import('./pages/TimetablePage.vue'), meta: { title: 'nav.timetable' } },
    { path: '/sections', name: 'sections', component: () => import('./pages/SectionsPage.vue'), meta: { title: 'nav.sections' } },
    { path: '/class', name: 'class', component: () => import('./pages/ClassPage.vue'), meta: { title: 'nav.class' } },
    { path: '/cases', name: 'cases', component: () => import('./pages/CasesPage.vue'), meta: { title: 'nav.cases' } },
    { path: '/cases/:number', name: 'case', component: () => import('./pages/CasePage.vue'), meta: { title: 'nav.case' } },
    { path: '/deputies', name: 'deputies', component: () => import('./pages/DeputiesPage.vue'), meta: { title: 'nav.deputies' } },
    { path: '/query', name: 'modules', component: () => import('./pages/ModulesPage.vue'), meta: { title: 'nav.query' } },
    { path: '/query/:dataset', name: 'query', component: () => import('./pages/QueryPage.vue'), meta: { title: 'nav.query' } },
    { path: '/prove', name: 'prove', component: () => import('./pages/ProvePage.vue'), meta: { title: 'nav.prove' } },
    { path: '/notices', name: 'notices', component: () => import('./pages/NoticesPage.vue'), meta: { title: 'nav.notices' } },
    { path: '/me', name: 'me', component: () => import('./pages/MePage.vue'), meta: { title: 'nav.me' } },
    {
      path: '/v/:code?',
      name: 'verify',
      component: () => import('./pages/VerifyPage.vue'),
      meta: { open: true, bare: true, stranger: true, title: 'nav.verify' },
    },
    ...module_routes,
    { path: '/:rest(.*)*', name: 'lost', component: () => import('./pages/LostPage.vue'), meta: { open: true, title: 'nav.lost' } },
  ],
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
})

router.beforeEach(async (to) => {
  const session = use_session()
  if (!session.known && !to.meta.stranger) await session.load()
  if (!to.meta.open && !session.me && !session.fault) return { name: 'signin', state: { back_to: to.fullPath } }
  return true
})

router.afterEach((to, from) => {
  document.title = `${t(to.meta.title)} · ${t('brand.name')}`
  // A new page is announced by its own heading: focus goes there, not to the top of the navigation.
  if (from.name && to.path !== from.path) void nextTick(() => document.getElementById('main')?.focus({ preventScroll: true }))
})
