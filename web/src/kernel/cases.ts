// Cases as people meet them: what waits for me, deadlines in days, keys of the queue.
import { query_run, calendar_read } from '@/api/calls'
import type { CaseAction, CaseDue } from '@/api/cases'
import type { Answer, Me, Value, Where } from '@/api/types'
import { kept } from './kept'

// ---- what waits for whom

// What I am to act on, by the posts that I hold or stand in for: the server's tables of kinds say so, and of each case which steps
// are mine.
export const kWaiting: Where = { is: 'waits_for_me' }
export const mine_where = (me: Pick<Me, 'account'>): Where => ({ field: 'applicant', op: 'eq', value: me.account })

export const kCaseFields = [
  'number',
  'kind',
  'title',
  'state',
  'applicant',
  'applicant_name',
  'unit_name',
  'waits_for',
  'opened',
  'arrived',
  'due',
  'due_provisional',
  'lateness',
  'closed',
]

export interface CaseRow {
  number: string
  kind: string
  title: string
  state: string
  applicant_name: string
  unit_name: string
  arrived: string
  due: string | null
  due_provisional: boolean
  lateness: 'in_time' | 'due_soon' | 'late'
  closed: string | null
}

export function case_rows(answer: Answer): CaseRow[] {
  return answer.rows.map((cells) => {
    const row = Object.fromEntries(answer.columns.map((column, i) => [column.name, cells[i] ?? null])) as Record<string, Value>
    const text = (name: string) => (row[name] === null || row[name] === undefined ? '' : String(row[name]))
    return {
      number: text('number'), kind: text('kind'), title: text('title'), state: text('state'), applicant_name: text('applicant_name'),
      unit_name: text('unit_name'), arrived: text('arrived'), due: text('due') || null, due_provisional: row.due_provisional === true,
      lateness: (text('lateness') || 'in_time') as CaseRow['lateness'], closed: text('closed') || null,
    }
  })
}

export async function waiting_count(): Promise<number> {
  const answer = await query_run({ dataset: 'case', fields: ['number'], where: kWaiting, limit: kCountMost })
  return answer.rows.length
}
export const kCountMost = 200

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
  const [date, rest] = [due.slice(0, 10), due.slice(11, 19)]
  if (rest !== '00:00:00') return date
  const day = new Date(`${date}T00:00:00Z`)
  day.setUTCDate(day.getUTCDate() - 1)
  return day.toISOString().slice(0, 10)
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

export const is_late = (due: Pick<CaseDue, 'last'>, today: string) => today > due.last

// ---- the keys of the queue

const kKeys: Record<string, CaseAction['tone']> = { a: 'good', s: 'good', r: 'bad', b: 'back' }

// The allowed step that a key means on this case, if any: the first of its tone.
export const action_of_key = (key: string, actions: CaseAction[]): CaseAction | undefined =>
  kKeys[key] && actions.find((one) => one.allowed && one.tone === kKeys[key])
// The key shown on a step.
export const key_of_action = (one: CaseAction, actions: CaseAction[]): string =>
  ['a', 'r', 'b'].find((key) => action_of_key(key, actions) === one)?.toUpperCase() ?? ''
