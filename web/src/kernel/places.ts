// Where one can go: the pages of the shell and those that modules bring.
import { shapes } from '@/parts/shapes'
import { module_places, type Place } from './modules'

const learns: Place['open'] = ({ has_post }) => has_post('student') || has_post('graduate')
const first: Place[] = [
  { name: 'home', label: 'nav.home', icon: shapes.home, phone: true, at: ['rail'], open: () => true },
  { name: 'grades', label: 'nav.grades', icon: shapes.grades, phone: true, at: ['rail'], open: (session) => learns(session) && session.may('grade') },
  {
    name: 'timetable', label: 'nav.timetable', icon: shapes.timetable, phone: 'if_room', at: ['rail'],
    open: ({ has_post, may }) => (has_post('student') || has_post('teacher')) && may('meeting'),
  },
  {
    name: 'sections', label: 'nav.sections', icon: shapes.sections, phone: true, at: ['rail'],
    open: ({ has_post, may }) => has_post('teacher') && may('section'),
  },
  {
    name: 'class', label: 'nav.class', icon: shapes.class, phone: true, at: ['rail'],
    open: ({ has_post, may }) => has_post('class_adviser') && may('student'),
  },
  { name: 'modules', label: 'nav.query', icon: shapes.query, phone: true, at: ['rail'], open: ({ me }) => Boolean(me?.modules.length) },
  { name: 'cases', label: 'nav.cases', icon: shapes.cases, phone: true, at: ['rail'], open: ({ may }) => may('case') },
  { name: 'deputies', label: 'nav.deputies', at: ['cases'], open: ({ may }) => may('deputy') },
]
const last: Place[] = [{ name: 'me', label: 'nav.me', icon: shapes.me, phone: true, at: ['rail'], open: () => true }]

const all = [...first, ...module_places, ...last]
export const places_at = (where: Place['at'][number], session: Parameters<Place['open']>[0]) =>
  all.filter((place) => place.at.includes(where) && place.open(session))

// Five tabs are what a thumb finds: what may give way does, then the last but one's own page.
export const kTabs = 5
export function tabs_of(places: Place[]): Place[] {
  const sure = places.filter((place) => place.phone === true)
  if (sure.length > kTabs) return [...sure.slice(0, kTabs - 1), sure.at(-1)!]
  const spare = places.filter((place) => place.phone === 'if_room').slice(0, kTabs - sure.length)
  return places.filter((place) => sure.includes(place) || spare.includes(place))
}
