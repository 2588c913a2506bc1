// The timetable of the person signed in: the current term, the sections one is in or teaches, their meetings.
import type { Me, Value, Where } from '@/api/types'
import { all_of, rows_read, type Row } from './catalogue'
import { week_of, weeks_parse, type Meeting } from './weeks'

export interface Term {
  code: string
  name: string
  begins: string
  ends: string
  weeks: number
}

const kWeeksUsual = 18
const kTermsShown = 40
const kSectionsMax = 400

const text = (value: Value | undefined) => (value === null || value === undefined ? '' : String(value))

function term_of(row: Row): Term {
  const begins = text(row.begins)
  const ends = text(row.ends)
  const span = begins && ends ? week_of(begins, ends) : kWeeksUsual
  return { code: text(row.code), name: text(row.name) || text(row.code), begins, ends, weeks: Number(row.weeks) || span }
}

// Newest first.
export async function terms_read(): Promise<Term[]> {
  const { rows } = await rows_read('term', { fields: ['code', 'name', 'begins', 'ends', 'weeks'], order: [{ field: 'code', desc: true }], limit: kTermsShown })
  return rows.map(term_of).filter((term) => term.begins)
}

// The term of today; between terms the last one that has begun.
export function term_at(terms: readonly Term[], today: string): Term | null {
  const day = today.slice(0, 10)
  const begun = terms.filter((term) => term.begins <= day).sort((a, b) => (a.begins < b.begins ? 1 : -1))
  return begun.find((term) => day <= term.ends) ?? begun[0] ?? terms.at(-1) ?? null
}

export type Side = 'student' | 'teacher'

// Sections one is enrolled in, or teaches, in a term.
export async function sections_of(me: Me, side: Side, term: string): Promise<string[]> {
  const [dataset, person] = side === 'student' ? ['enrolment', 'student'] : ['section_teacher', 'teacher']
  const { rows } = await rows_read(dataset, {
    fields: ['section'],
    where: { all: [{ field: person, op: 'eq', value: me.number }, { field: 'term', op: 'eq', value: term }] },
    limit: kSectionsMax,
  })
  return [...new Set(rows.map((row) => text(row.section)))]
}

export async function meetings_read(sections: readonly string[], extra?: Where): Promise<Meeting[]> {
  if (!sections.length) return []
  const { rows } = await rows_read('meeting', {
    fields: ['section', 'ordinal', 'weekday', 'first_period', 'last_period', 'weeks', 'room_name', 'room', 'teachers', 'section_teachers', 'course_name'],
    where: all_of({ field: 'section', op: 'in', value: [...sections] }, extra),
    limit: 1000,
  })
  return rows.map((row) => ({
    id: `${text(row.section)}~${text(row.ordinal)}`,
    section: text(row.section),
    course: text(row.course_name) || text(row.section),
    weekday: Number(row.weekday) || 0,
    from: Number(row.first_period) || 0,
    to: Number(row.last_period) || Number(row.first_period) || 0,
    weeks: weeks_parse(text(row.weeks)),
    weeks_text: text(row.weeks),
    room: text(row.room_name) || text(row.room),
    teacher: text(row.teachers) || text(row.section_teachers),
  }))
}
