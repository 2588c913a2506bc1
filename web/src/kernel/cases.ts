// Cases as people meet them: what waits for me, deadlines in days, keys of the queue.
import { query_run, calendar_read } from '@/api/calls'
import type { CaseAction, CaseDue } from '@/api/cases'
import type { Answer, Me, Value, Where } from '@/api/types'
import { kept } from './kept'

// ---- what waits for whom

export interface Deputed { post: string; unit: string | null }

const eq = (field: string, value: string): Where => ({ field, op: 'eq', value })

// Posts in which I stand in today; who may not ask for deputies stands in for nobody.
export async function deputed_read(me: Me): Promise<Deputed[]> {
  if (!me.modules.some((module) => module.datasets.some((one) => one.name === 'deputy'))) return []
  const today = me.now.slice(0, 10)
  const answer = await query_run({
    dataset: 'deputy',
    fields: ['post', 'unit'],
    where: {
      all: [
        eq('deputy', me.account),
        { field: 'begins', op: 'le', value: today },
        { field: 'ends', op: 'ge', value: today },
        { field: 'ended', op: 'is_null', value: true },
      ],
    },
    limit: 50,
  })
  return answer.rows.map((row) => ({ post: String(row[0]), unit: row[1] === null ? null : String(row[1]) }))
}

// What I am to act on, by the posts that I hold or stand in for; the server says of each case which steps are mine.
export function waiting_where(me: Pick<Me, 'account' | 'posts'>, deputed: Deputed[] = []): Where {
  const held = (name: string) => me.posts.some((post) => post.name === name) || deputed.some((one) => one.post === name)
  const units = [...new Set([
    ...me.posts.filter((post) => post.name === 'department_head').flatMap((post) => post.units),
    ...deputed.flatMap((one) => (one.post === 'department_head' && one.unit !== null ? [one.unit] : [])),
  ])]
  const parts: Where[] = [{ all: [eq('applicant', me.account), eq('waits_for', 'applicant')] }]
  if (units.length) {
    parts.push({ all: [eq('waits_for', 'head'), { field: 'sign_unit', op: 'in', value: units }] })
    parts.push({ all: [eq('waits_for', 'owner_head'), { field: 'owner_unit', op: 'in', value: units }] })
  }
  if (held('academic_office')) parts.push(eq('waits_for', 'office'))
  if (held('security_admin')) parts.push(eq('waits_for', 'security'))
  return parts.length > 1 ? { any: parts } : parts[0]!
}

export const mine_where = (me: Pick<Me, 'account'>): Where => eq('applicant', me.account)
// Whoever carries out procedures for others has a desk; everybody else just has own applications.
export const has_desk = (me: Pick<Me, 'posts'>) =>
  me.posts.some((post) => ['department_head', 'academic_office', 'security_admin'].includes(post.name))

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

export async function waiting_count(me: Me): Promise<number> {
  const deputed = await deputed_read(me)
  const answer = await query_run({ dataset: 'case', fields: ['number'], where: waiting_where(me, deputed), limit: kCountMost })
  return answer.rows.length
}
export const kCountMost = 200

// After an act on a page of its own: what waits next, by its deadline.
export async function waiting_next(me: Me): Promise<CaseRow | null> {
  const deputed = await deputed_read(me)
  const answer = await query_run({
    dataset: 'case',
    fields: kCaseFields,
    where: waiting_where(me, deputed),
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

// Units are named by their codes in one's posts; people know their names.
export async function unit_names(codes: string[]): Promise<Record<string, string>> {
  const wanted = [...new Set(codes.filter(Boolean))]
  if (!wanted.length) return {}
  const answer = await query_run({ dataset: 'unit', fields: ['code', 'name'], where: { field: 'code', op: 'in', value: wanted }, limit: wanted.length })
  return Object.fromEntries(answer.rows.map((row) => [String(row[0]), String(row[1])]))
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

const kApproving = ['approve', 'sign', 'consent', 'keep', 'confirm', 'lift', 'submit']
const kRefusing = ['refuse', 'decline', 'end', 'hand_over', 'withdraw', 'discard']
const kKeys: Record<string, string[]> = { a: kApproving, s: ['sign', 'consent', 'submit', 'approve', 'confirm'], r: kRefusing, b: ['send_back'] }

// The allowed step that a key means on this case, if any.
export function action_of_key(key: string, actions: CaseAction[]): CaseAction | undefined {
  const names = kKeys[key] ?? []
  const allowed = actions.filter((one) => one.allowed)
  return names.map((name) => allowed.find((one) => one.action === name)).find(Boolean)
}
export const key_of_action = (name: string): string =>
  name === 'send_back' ? 'B' : kRefusing.includes(name) ? 'R' : ['sign', 'consent', 'submit'].includes(name) ? 'S' : kApproving.includes(name) ? 'A' : ''
export const is_approving = (name: string) => kApproving.includes(name)
export const is_refusing = (name: string) => kRefusing.includes(name) || name === 'give_up'
