// Where one can go. Which places there are for whom, what they are called and how much waits there, the server says (/api/me);
// here stands only how a place looks.
import type { Me, Schemas } from '@/api/types'
import { shapes } from '@/parts/shapes'
import { module_places, type PlaceLook } from './modules'

export type Place = PlaceLook & Schemas['Place']

const looks = new Map(
  ([
    { name: 'home', icon: shapes.home, phone: true, at: ['rail'] },
    { name: 'grades', icon: shapes.grades, phone: true, at: ['rail'] },
    { name: 'timetable', icon: shapes.timetable, phone: 'if_room', at: ['rail'] },
    { name: 'sections', icon: shapes.sections, phone: true, at: ['rail'] },
    { name: 'class', icon: shapes.class, phone: true, at: ['rail'] },
    { name: 'modules', icon: shapes.query, phone: true, at: ['rail'] },
    { name: 'cases', icon: shapes.cases, phone: true, at: ['rail'] },
    { name: 'deputies', at: ['cases'] },
    ...module_places,
    { name: 'me', icon: shapes.me, phone: true, at: ['rail'] },
  ] satisfies PlaceLook[] as PlaceLook[]).map((look) => [look.name, look]),
)
export function places_at(where: PlaceLook['at'][number], me: Me | null): Place[] {
  return (me?.places ?? []).flatMap((place) => {
    const look = looks.get(place.name)
    return look?.at.includes(where) ? [{ ...look, ...place }] : []
  })
}

// The faces of the pages that are laid out by hand, by what one is: layout alone, what is on them is asked for like all else.
export function faces_of(me: Me) {
  const is = (post: string) => me.posts.some((one) => one.name === post)
  const student = is('student')
  return { student, graduate: !student && (is('graduate') || me.kind.startsWith('graduate')), teacher: is('teacher'), adviser: is('class_adviser') }
}

// The clause of a post that one has.
export const clause_of = (me: Me, post: string) => me.posts.find((one) => one.name === post)?.clause ?? ''

// Five tabs are what a thumb finds: what may give way does, then the last but one's own page.
export const kTabs = 5
export function tabs_of(places: Place[]): Place[] {
  const sure = places.filter((place) => place.phone === true)
  if (sure.length > kTabs) return [...sure.slice(0, kTabs - 1), sure.at(-1)!]
  const spare = places.filter((place) => place.phone === 'if_room').slice(0, kTabs - sure.length)
  return places.filter((place) => sure.includes(place) || spare.includes(place))
}
