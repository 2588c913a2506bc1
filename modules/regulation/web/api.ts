// Permission administration (docs/api.md): the regulation in force, and who sees what; its history and proposals are datasets.
import { call } from '@/api/client'
import type { Text } from '@/api/types'

export type Sight = 'clear' | 'masked' | 'hidden'

export interface Rule {
  id: number
  effect: 'permit' | 'forbid'
  post: string
  dataset: string
  rows?: string
  where?: unknown
  text?: Text
  clear?: string[] | string
  masked?: string[] | string
  hidden?: string[] | string
  actions?: string[] | string
  purposes?: string[] | string
  clause: string
}
// A rule, and what the server says it comes to.
export interface RuleShown {
  rule: Rule
  rows?: Text
  sights?: string // one of c m h for each field of the dataset
  actions?: string[]
}
export interface RegulationField { name: string; label: Text; level: number; masks: boolean }
export interface RegulationDataset {
  name: string
  label: Text
  module: string
  academic: boolean
  key: string[]
  relations: string[]
  fields: RegulationField[]
}
export interface Named { name: string; label: Text }
export interface RegulationPost extends Named { clause: string; apart?: string; from?: string; where?: unknown; [more: string]: unknown }
export interface RegulationSetting extends Named { clause: string; value: number; min: number; max: number }
export interface RegulationPower extends Named { clause: string; post: string[] | string }
export interface RowChange {
  kind: 'setting' | 'post' | 'power' | 'rule'
  key: string
  before: Record<string, unknown> | null
  after: Record<string, unknown> | null
}
export interface Regulation {
  version: number
  in_force: number
  may: { propose: boolean; approve: boolean; ask: boolean }
  settings: RegulationSetting[]
  posts: RegulationPost[]
  powers: RegulationPower[]
  rules: RuleShown[]
  datasets: RegulationDataset[]
  relations: Named[]
  modules: Named[]
  purposes: string[]
  record: string
}

export interface EffectRows { effect: string; text: Text; clause?: string; grant?: string; actions: string[] }
export interface EffectOne {
  post: Named | null
  account?: string
  account_name?: string
  dataset: Named
  matter: 'reading' | 'enter' | 'review'
  actions: { gained: string[]; lost: string[] }
  rows: { before: EffectRows[]; after: EffectRows[] }
  fields: { name: string; label: Text; level: number; before: Sight; after: Sight }[]
  holders: number | null
  numbers: { account: string; name: string; gained: number; lost: number; cells: { field: string; gained: number; lost: number }[] }[] | null
  samples: { columns: Named[]; gained: unknown[][]; lost: unknown[][] } | null
  why: Text | null
}
export interface Preview {
  base: number
  changes: RowChange[]
  effect: { effects: EffectOne[]; widens: boolean; narrows: boolean }
  record: string
}
export type Change =
  | { op: 'add_rule'; rule: Omit<Rule, 'id'> }
  | { op: 'put_rule'; id: number; rule: Rule }
  | { op: 'remove_rule'; id: number }
  | { op: 'set_setting'; name: string; value: number }
  | { op: 'put_post'; post: RegulationPost }
  | { op: 'set_power'; name: string; post: string[] }
export type Asked = { changes: Change[] } | { rollback_to: number } | { proposal: number }
export interface Acted { proposal: number; version: number; record: string }

export interface SightBasis {
  rows: Text
  clause: string
  post?: Named
  grant?: string
  until?: string
  actions: string[]
  purposes: string[]
}
export interface SightCell {
  dataset_label: Text
  label: Text
  level: number
  clear: (SightBasis & { holders: number; people: { account: string; name: string }[] })[]
  masked: (SightBasis & { holders: number; people: { account: string; name: string }[] })[]
  record: string
}
export interface SightPerson {
  account: string
  name: string
  live: boolean
  posts: (Named & { clause: string; units: string[] })[]
  datasets: (Named & {
    permits: (SightBasis & { clear: string[]; masked: string[] })[]
    forbids: SightBasis[]
    fields: { name: string; label: Text; level: number; sight: Sight }[]
  })[]
  record: string
}

const enc = encodeURIComponent
export const regulation_read = (version?: number) => call<Regulation>('GET', `/api/regulation${version === undefined ? '' : `?version=${version}`}`)
export const regulation_difference = (from: number, to: number) => call<{ changes: RowChange[] }>('GET', `/api/regulation/difference?from=${from}&to=${to}`)
export const regulation_preview = (asked: Asked) => call<Preview>('POST', '/api/regulation/preview', { body: asked })
export const regulation_propose = (base: number, changes: Change[], note: string, clause: string) =>
  call<Acted>('POST', '/api/regulation/proposals', { body: { base, changes, note, clause } })
export const regulation_rollback = (base: number, to: number, note: string) => call<Acted>('POST', '/api/regulation/rollback', { body: { base, to, note } })
// Who decides shows again who it is: a code of the second factor, or the password.
export const regulation_decide = (id: number, what: 'approve' | 'reject', proof: { password?: string; code?: string }, reason?: string) =>
  call<Acted>('POST', `/api/regulation/proposals/${id}/${what}`, { body: { ...proof, reason }, open: true })
export const regulation_withdraw = (id: number) => call<Acted>('POST', `/api/regulation/proposals/${id}/withdraw`, { body: {} })
export const sight_cell = (dataset: string, key: string, field: string) =>
  call<SightCell>('GET', `/api/sight/cell?dataset=${enc(dataset)}&key=${enc(key)}&field=${enc(field)}`)
export const sight_person = (account: string) => call<SightPerson>('GET', `/api/sight/person?account=${enc(account)}`)
