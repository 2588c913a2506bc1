import { describe, expect, it } from 'vitest'
import type { Me } from '@/api/types'
import { case_forms, case_view_of, module_places, module_routes, page_of } from './modules'
import { faces_of, kTabs, places_at, tabs_of, type Place } from './places'

const folders = Object.keys(import.meta.glob('../../../modules/*/web/index.ts'))
const names = module_routes.map((route) => String(route.name))

describe('modules', () => {
  it('are found by where they lie, each with pages of its own', () => {
    expect(folders.length).toBeGreaterThan(0)
    expect(module_routes.length).toBeGreaterThanOrEqual(folders.length)
    expect(new Set(names).size).toBe(names.length)
    expect(new Set(module_routes.map((route) => route.path)).size).toBe(names.length)
  })
  it('lead only to pages that there are', () => {
    for (const place of module_places) expect(names, place.name).toContain(place.name)
    for (const form of case_forms) expect(names, form.page).toContain(form.page)
  })
  it('bring what shows their kinds of case, and nothing for a kind that nobody brings', () => {
    expect(case_view_of('access')?.form?.page).toBe('apply')
    expect(case_view_of('access')?.show).toBeDefined()
    expect(case_view_of('none_such')).toBeUndefined()
  })
  it('say on which page a thing is shown', () => {
    expect(page_of('case', '2026-0017')).toEqual({ name: 'case', params: { number: '2026-0017' } })
    expect(page_of('grant', '2026-0003')).toEqual({ name: 'grants', hash: '#2026-0003' })
    expect(page_of('deputy', '17')).toEqual({ name: 'deputies' })
    expect(page_of('batch', '7')).toBeNull()
  })
})

describe('the tabs of a phone', () => {
  const place = (name: string, phone?: Place['phone']): Place => ({ name, label: { zh: name, en: name }, at: ['rail'], phone })
  const told = (...places: Place[]) => tabs_of(places).map((one) => one.name)

  it('leave out what has no tab, and take in what may give way while there is room', () => {
    expect(told(place('home', true), place('week', 'if_room'), place('rules'), place('six', 'if_room'), place('me', true))).toEqual([
      'home',
      'week',
      'six',
      'me',
    ])
    expect(told(place('a', true), place('week', 'if_room'), place('b', true), place('six', 'if_room'), place('c', true), place('me', true))).toEqual([
      'a',
      'week',
      'b',
      'c',
      'me',
    ])
  })
  it('are never more than a thumb finds, and end with one’s own page', () => {
    const many = told(place('a', true), place('b', true), place('c', true), place('d', true), place('e', true), place('me', true))
    expect(many).toHaveLength(kTabs)
    expect(many.at(-1)).toBe('me')
  })
})

describe('places', () => {
  const text = (word: string) => ({ zh: word, en: word })
  const me = (posts: string[], places: string[]) =>
    ({ kind: 'staff', posts: posts.map((name) => ({ name })), places: places.map((name) => ({ name, label: text(name) })) }) as unknown as Me
  it('are those that the server tells, in its order, and none of which no page is known', () => {
    expect(places_at('rail', me([], ['me', 'home', 'desk', 'no_page'])).map((one) => one.name)).toEqual(['me', 'home'])
    expect(places_at('cases', me([], ['grants', 'home'])).map((one) => one.name)).toEqual(['grants'])
    expect(places_at('rail', null)).toEqual([])
  })
  it('and faces follow from what one is', () => {
    expect(faces_of(me(['teacher', 'class_adviser'], []))).toEqual({ student: false, graduate: false, teacher: true, adviser: true })
    expect(faces_of(me(['student', 'graduate'], []))).toMatchObject({ student: true, graduate: false })
  })
})
