// The application for access (§2.4.1): its form, and what a decider may make smaller.
import type { Field, Me, Where } from '@/api/types'
import { all_of } from '@/kernel/catalogue'
import { last_day } from '@/kernel/cases'
import { conditions_read, conditions_wire, type Conditions } from '@/kernel/condition'
import { day_number } from '@/kernel/days'
import type { AccessContent, Fault, Granted, Holder, Offered, OfferedField, Prefill, Words } from './api'

export type Choice = 'clear' | 'masked' | 'none'
// What one may choose for a field, masked where it has a mask.
export const choices_of = (masks: boolean | undefined): Choice[] => (masks ? ['clear', 'masked', 'none'] : ['clear', 'none'])
// The actions chosen with one more or one fewer, in the order in which they are offered.
export const actions_with = (offered: { name: string }[] | undefined, chosen: string[], name: string, on: boolean) =>
  (offered ?? []).map((one) => one.name).filter((one) => (one === name ? on : chosen.includes(one)))
export const kSensitive = 3

export interface AccessForm {
  dataset: string
  choices: Record<string, Choice>
  rows: string // all, a relation, 'condition', or nothing chosen yet
  conditions: Conditions // the rows themselves, or what narrows them
  deep: Where | null // a condition deeper than the builder shows: kept as it is
  actions: string[]
  purpose: string
  reason: string
  justification: string
  from: string
  until: string
  minors: boolean
  holder: string // self, or post and unit with a blank between
}

export function form_new(today: string): AccessForm {
  return {
    dataset: '', choices: {}, rows: '', conditions: { join: 'all', items: [] }, deep: null, actions: ['query', 'detail'], purpose: '',
    reason: '', justification: '', from: today, until: '', minors: false, holder: 'self',
  }
}

// `wanted`: fields of a refusal; none of it named, all usual ones.
export function choices_for(dataset: Offered, wanted: string[] = []): Record<string, Choice> {
  const named = wanted.filter((name) => dataset.fields.some((field) => field.name === name))
  return Object.fromEntries(dataset.fields.map((field) => {
    if (!named.length) return [field.name, field.sight]
    if (!named.includes(field.name)) return [field.name, dataset_key_like(field) ? 'clear' : 'none']
    return [field.name, field.level >= kSensitive && field.masked ? 'masked' : 'clear']
  }))
}
// Without whom a row is about, no answer can be read.
const dataset_key_like = (field: OfferedField) => field.name === 'student' || field.name === 'student_name'

export function form_from_prefill(prefill: Prefill, dataset: Offered | undefined, today: string): AccessForm {
  const form = form_new(today)
  if (!dataset) return form
  form.dataset = dataset.name
  form.choices = choices_for(dataset, prefill.fields ?? [])
  form.rows = dataset.rows
  if (prefill.actions?.length) form.actions = [...new Set(['query', 'detail', ...prefill.actions])]
  form.purpose = prefill.purpose ?? ''
  return form
}

const holder_text = (holder: Holder | undefined) => (holder && holder !== 'self' ? `${holder.post} ${holder.unit}` : 'self')

export function form_from_content(content: AccessContent, dataset: Offered | undefined, today: string): AccessForm {
  const form = form_new(today)
  const where = typeof content.rows === 'object' && content.rows !== null ? content.rows : content.where
  const read = conditions_read(where)
  form.dataset = content.dataset ?? ''
  form.choices = Object.fromEntries((dataset?.fields ?? []).map((field) => [
    field.name, content.clear?.includes(field.name) ? 'clear' : content.masked?.includes(field.name) ? 'masked' : 'none',
  ]))
  form.rows = typeof content.rows === 'string' ? content.rows : content.rows ? 'condition' : ''
  form.conditions = read ?? { join: 'all', items: [] }
  form.deep = read ? null : (where ?? null)
  form.actions = content.actions ?? []
  form.purpose = content.purpose ?? ''
  form.reason = content.reason ?? ''
  form.justification = content.justification ?? ''
  form.from = content.from ?? today
  form.until = content.until ?? ''
  form.minors = content.minors ?? false
  form.holder = holder_text(content.holder)
  return form
}

// What is sent: only what is filled in, so that a draft may be incomplete.
export function content_of(form: AccessForm): AccessContent {
  const chosen = (choice: Choice) => Object.keys(form.choices).filter((name) => form.choices[name] === choice)
  const where = form.deep ?? conditions_wire(form.conditions)
  const content: AccessContent = { clear: chosen('clear'), masked: chosen('masked'), actions: form.actions, minors: form.minors }
  if (form.dataset) content.dataset = form.dataset
  if (form.rows === 'condition') {
    if (where) content.rows = where
  } else if (form.rows) {
    content.rows = form.rows
    if (where) content.where = where
  }
  for (const key of ['purpose', 'reason', 'justification', 'from', 'until'] as const) {
    const text = form[key].trim()
    if (text) content[key] = text
  }
  const [post, unit] = form.holder.split(' ')
  content.holder = form.holder === 'self' || !post ? 'self' : { post, unit: unit ?? '' }
  return content
}

// Fields of the catalogue as the condition builder wants them. What one applies for is not closed in its own form.
export function builder_fields(dataset: Offered | undefined, may: (dataset: string) => boolean): Field[] {
  return (dataset?.fields ?? []).map((field): Field => ({
    name: field.name, label: field.label, type: field.type, places: field.places, level: field.level, sight: 'clear',
    operators: field.operators, example: field.example, codes: field.codes, help: field.help,
    ref: field.ref ? { dataset: field.ref.dataset, queryable: may(field.ref.dataset) } : undefined,
  }))
}

// The server's faults by the part of the form they speak of: content.rows.all[0].value → rows.
export function faults_by_part(faults: Fault[] | undefined, root: string): Map<string, Fault[]> {
  const parts = new Map<string, Fault[]>()
  for (const fault of faults ?? []) {
    const path = fault.field.startsWith(`${root}.`) ? fault.field.slice(root.length + 1) : fault.field
    const part = /^[a-z_]+/.exec(path)?.[0] ?? path
    parts.set(part, [...(parts.get(part) ?? []), fault])
  }
  return parts
}

// ---- narrowing (§2.4.3: a decider may only narrow)

export interface Narrowed {
  choices: Record<string, Choice>
  actions: string[]
  from: string
  until: string
  minors: boolean
  conditions: Conditions
}

export function narrowed_from(words: Words): Narrowed {
  return {
    choices: Object.fromEntries((words.fields ?? []).map((field) => [field.name, field.sight])),
    actions: (words.actions ?? []).map((one) => one.name),
    from: words.from ?? '',
    until: words.until ?? '',
    minors: words.minors?.asked ?? false,
    conditions: { join: 'all', items: [] },
  }
}

const same = (a: string[], b: string[]) => a.length === b.length && a.every((one) => b.includes(one))

// Only what the decider changed; undefined when nothing was.
export function granted_of(words: Words, narrowed: Narrowed): Granted | undefined {
  const was = narrowed_from(words)
  const list = (from: Narrowed, choice: Choice) => Object.keys(from.choices).filter((name) => from.choices[name] === choice)
  const granted: Granted = {}
  const changed = (['clear', 'masked'] as const).some((choice) => !same(list(was, choice), list(narrowed, choice)))
  if (changed) Object.assign(granted, { clear: list(narrowed, 'clear'), masked: list(narrowed, 'masked') })
  if (!same(was.actions, narrowed.actions)) granted.actions = narrowed.actions
  if (narrowed.from && narrowed.from !== was.from) granted.from = narrowed.from
  if (narrowed.until && narrowed.until !== was.until) granted.until = narrowed.until
  if (was.minors && !narrowed.minors) granted.minors = false
  const where = all_of(conditions_wire(narrowed.conditions))
  if (where) granted.where = where
  return Object.keys(granted).length ? granted : undefined
}

// ---- a form not sent yet: kept for this tab until the server has the draft

export interface Draft { number: string; revision: number }
const kept_key = (me: Pick<Me, 'account'>, draft?: Draft | null) => `jiaowu.apply.${me.account}${draft ? `.${draft.number}.${draft.revision}` : ''}`
// `draft`: edits of a draft that the server has, as of its revision; without, those of a new form.
export function form_keep(me: Pick<Me, 'account'>, form: AccessForm | null, draft?: Draft | null) {
  try {
    if (form) sessionStorage.setItem(kept_key(me, draft), JSON.stringify(form))
    else sessionStorage.removeItem(kept_key(me, draft))
  } catch {
    // storage closed to us: then the draft on the server alone
  }
}
export function form_kept(me: Pick<Me, 'account'>, today: string, draft?: Draft | null): AccessForm | null {
  try {
    const raw: unknown = JSON.parse(sessionStorage.getItem(kept_key(me, draft)) ?? 'null')
    if (typeof raw !== 'object' || raw === null) return null
    const kept = { ...form_new(today), ...(raw as Partial<AccessForm>) }
    return kept.dataset || kept.reason ? kept : null
  } catch {
    return null
  }
}

// ---- grants

// Days on the calendar until a grant ends; 0 = its last day.
export const days_until = (now: string, end: string) => day_number(last_day(end)) - day_number(now)

// States in which a grant opens nothing any more, ever.
export const kGrantOver = new Set(['expired', 'revoked', 'lapsed'])
// Whether a head still has to say something of it.
export const grant_over = (grant: { state: string; valid_until: string }, now: string) =>
  grant.state === 'revoked' || grant.state === 'lapsed' || Date.parse(grant.valid_until) <= Date.parse(now)
