// What the modules bring to the pages: modules/NAME/web/index.ts, found by where it lies. Nothing here knows one by its name.
import { defineAsyncComponent, type Component } from 'vue'
import type { RouteLocationRaw, RouteRecordRaw } from 'vue-router'
import type { CaseFile, StepBody } from '@/api/cases'
import type { Problem } from '@/api/types'
import type { Key } from './i18n'

type Loader = () => Promise<Component>

// How a place looks: shown in the rail, on one's own page, or beside the list of cases.
export interface PlaceLook {
  name: string // of its route
  at: ('rail' | 'me' | 'cases')[]
  icon?: string // a path on the grid of parts/Icon.vue
  phone?: true | 'if_room' // among the tabs of a phone
  clause?: string
  hint?: Key
}

// A kind of case by its name: how its content is shown, and the page on which one begins or goes on writing it.
export interface CaseView {
  show: Loader // takes CaseViewProps, and may expose CaseChoices
  form?: { page: string; label: Key; chapter: string; sheet?: Loader } // sheet: the paper form, filled from a remedy
}
export interface CaseViewProps {
  file: CaseFile
  refused: Problem | null // of the last step
}
// What the person chose in the content, asked before a step is taken.
export interface CaseChoices {
  missing: (action: string) => string // what is still to be said, empty when nothing
  body: (action: string) => Partial<StepBody>
}

export interface WebModule {
  routes: RouteRecordRaw[]
  places?: PlaceLook[]
  case_view?: Record<string, CaseView>
  shows?: Record<string, (number: string) => RouteLocationRaw> // the page of a thing of this sort, as notices and answers name it
  entrance?: Loader // beside the sign-in; emits `enter` with what opens a session
}

const found = Object.values(import.meta.glob<WebModule>('../../../modules/*/web/index.ts', { eager: true }))

export const module_routes: RouteRecordRaw[] = found.flatMap((one) => one.routes)
export const module_places: PlaceLook[] = found.flatMap((one) => one.places ?? [])
export const entrances: Component[] = found.flatMap((one) => (one.entrance ? [defineAsyncComponent(one.entrance)] : []))

const views = new Map(
  found.flatMap((one) => Object.entries(one.case_view ?? {})).map(([kind, { show, form }]) => [
    kind,
    { show: defineAsyncComponent(show), form: form && { ...form, sheet: form.sheet && defineAsyncComponent(form.sheet) } },
  ]),
)
export const case_view_of = (kind: string) => views.get(kind)
export const case_forms = [...views.values()].flatMap(({ form }) => form ?? [])

const pages = new Map(found.flatMap((one) => Object.entries(one.shows ?? {})))
export function page_of(sort: string, number: string): RouteLocationRaw | null {
  if (sort === 'case') return { name: 'case', params: { number } }
  return sort === 'deputy' ? { name: 'deputies' } : (pages.get(sort)?.(number) ?? null)
}
