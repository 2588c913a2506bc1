// Cases as people meet them: what waits for me, deadlines in days, keys of the queue.
import { query_run, calendar_read } from '@/api/calls'
import type { CaseAction } from '@/api/cases'
import type { Answer, Me, Where } from '@/api/types'
import { rows_by_name } from './catalogue'
import { day_number, day_text } from './days'
import { kept } from './kept'

// ---- what waits for whom

// What I am to act on, by the posts that I hold or stand in for: the server's tables of kinds say so, and of each case which steps
// are mine.
export const kWaiting: Where = { is: 'waits_for_me' }
export const mine_where = (me: Pick<Me, 'account'>): Where => ({ field: 'applicant', op: 'eq', value: me.account })

export const kCaseFields = ['number', 'kind', 'title', 'state', 'applicant_name', 'unit_name', 'due', 'due_provisional', 'lateness', 'closed']

export interface CaseRow {
  number: string
  kind: string
  title: string
  state: string
  applicant_name: string
  unit_name: string | null
  due: string | null
  due_provisional: boolean
  lateness: 'in_time' | 'due_soon' | 'late'
  closed: string | null
}
export const case_rows = (answer: Answer) => rows_by_name(answer) as unknown as CaseRow[]

// How many there are; more than kCountMost are not counted.
export const kCountMost = 200
export async function case_count(where: Where | undefined): Promise<number> {
  return (await query_run({ dataset: 'case', fields: ['number'], where, limit: kCountMost })).rows.length
}

// After an act on a page of its own: what waits next, by its deadline.
export async function waiting_next(): Promise<CaseRow | null> {
  const answer = await query_run({
    dataset: 'case',
    fields: kCaseFields,
    where: kWaiting,
    order: [{ field: 'due' }, { field: 'number' }],
    limit: 1,
  })
  return case_rows(answer)[0] ?? null
}

// The next to open after one is done: the one that takes its place, else the last.
export function next_after(numbers: string[], done: string): string | null {
  const at = numbers.indexOf(done)
  const rest = numbers.filter((one) => one !== done)
  return rest.length ? rest[Math.min(Math.max(at, 0), rest.length - 1)]! : null
}

// ---- deadlines

const year_of = kept(calendar_read)

// The deadline is the midnight after the last day in time.
export function last_day(due: string): string {
  return due.slice(11, 19) === '00:00:00' ? day_text(day_number(due) - 1) : due.slice(0, 10)
}

// Working days from tomorrow to the last day, by the school's calendar: today is not counted, as when the clock was started.
export function days_between(days: { date: string; works: boolean }[], today: string, last: string): number {
  return days.filter((day) => day.date > today && day.date <= last && day.works).length
}

export async function days_left(today: string, last: string): Promise<number> {
  const [from, to] = [Number(today.slice(0, 4)), Number(last.slice(0, 4))]
  const wanted = await Promise.all(Array.from({ length: Math.max(0, to - from) + 1 }, (_, i) => year_of(from + i)))
  return days_between(wanted.flatMap((year) => year.days), today, last)
}

// ---- the keys of the queue

const kKeys: Record<string, CaseAction['tone']> = { a: 'good', s: 'good', r: 'bad', b: 'back' }

// The allowed step that a key means on this case, if any: the first of its tone.
export const action_of_key = (key: string, actions: CaseAction[]): CaseAction | undefined =>
  kKeys[key] && actions.find((one) => one.allowed && one.tone === kKeys[key])
// The key shown on a step.
export const key_of_action = (one: CaseAction, actions: CaseAction[]): string =>
  ['a', 'r', 'b'].find((key) => action_of_key(key, actions) === one)?.toUpperCase() ?? ''
