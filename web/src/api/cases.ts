// Cases, grants and deputies (docs/api.md): the one way to act.
import { call } from './client'
import type { Code, FieldType, Operator, Remedy, Text, Where } from './types'

const enc = encodeURIComponent

export interface Named { name: string; label: Text }

// ---- what one may apply for
export interface OfferedField extends Named {
  level: number
  masked: boolean // has a mask
  help?: Text
  type: FieldType
  places?: number
  example?: string
  operators: Operator[]
  codes?: Code[]
  ref?: { dataset: string }
}
export interface Offered extends Named { module: string; owner_unit: string; fields: OfferedField[]; relations: Named[] }
export interface Offers { purposes: Named[]; actions: Named[]; datasets: Offered[] }

// ---- the application for access
export type Holder = 'self' | { post: string; unit: string }
export interface AccessContent {
  dataset?: string
  rows?: string | Where
  where?: Where
  clear?: string[]
  masked?: string[]
  actions?: string[]
  purpose?: string
  reason?: string
  justification?: string
  from?: string
  until?: string
  minors?: boolean
  holder?: Holder
}
export interface Fault { field: string; code: string; text: Text }
export interface Words {
  dataset?: Named
  level?: number
  strict?: boolean
  days_most?: number
  rows?: Text
  fields?: (Named & { level: number; sight: 'clear' | 'masked' })[]
  actions?: Named[]
  purpose?: Named
  reason?: string
  justification?: string
  from?: string
  until?: string
  days?: number
  holder?: Text
  minors?: { concerned: boolean; asked: boolean }
  sentence?: Text
  undertaking?: { version: number; text: Text }
  problems?: Fault[]
}
export interface GrantLine {
  number: string
  title: string
  state: string
  dataset: string
  holder: string
  holder_name: string
  valid_from: string
  valid_until: string
  uses: number
  last_used: string | null
}
// What each kind says of itself; an access case tells words, the others the grants concerned.
export interface CaseWords extends Words {
  granted?: Words
  grant?: GrantLine
  grants?: GrantLine[]
  findings?: { finding: number; rule: string; score: number; seen: Text }[]
}

// ---- a case
export interface CaseAction {
  action: string
  label: Text
  allowed: boolean
  code?: string
  why?: Text
  opinion: 'none' | 'optional' | 'required'
  signs: boolean
}
export interface CaseStep {
  n: number
  action: string
  label: Text
  from: string
  to: string
  state: Text
  at: string
  by: { name: string; clock: boolean; post?: Text; unit?: string; for?: string }
  opinion: string
  changed: Record<string, unknown>
  signed: boolean
  signature: string
}
export interface CaseDue { at: string; last: string; days: number; provisional: boolean; lateness: 'in_time' | 'due_soon' | 'late' }
export interface CaseFile {
  number: string
  revision: number
  title: string
  kind: Named & { clause: string }
  state: Named & { closed: boolean }
  waits_for: Named
  applicant: { account: string; name: string; unit?: { code: string; name: string }; mine: boolean }
  sign_unit?: { code: string; name: string }
  owner_unit?: { code: string; name: string }
  opened: string
  arrived: string
  closed?: string
  due?: CaseDue
  content: AccessContent & Record<string, unknown>
  words?: CaseWords
  steps: CaseStep[]
  letters: { number: string; title: string; sha256: string; made: string; revoked: boolean }[]
  attachments: { id: number; name: string; media: string; sha256: string; added: string }[]
  actions: CaseAction[]
  signature_key: string
  record?: string
}

export interface Granted { clear?: string[]; masked?: string[]; actions?: string[]; from?: string; until?: string; where?: Where; minors?: boolean }
export interface StepBody {
  revision?: number
  opinion?: string
  content?: unknown
  granted?: Granted
  minors_approved?: boolean
  undertaking?: number
  keep?: string[]
  end?: string[]
  password?: string
}

export interface Effect {
  widens: boolean
  narrows: boolean
  effects: {
    account?: string
    account_name?: string
    dataset: Named
    rows: { before: { text: Text }[]; after: { text: Text }[] }
    fields: (Named & { level: number; before: string; after: string })[]
    holders: number | null
    numbers: { account: string; name: string; gained: number; lost: number }[] | null
    samples: { columns: { name: string; label: Text }[]; gained: (string | number | boolean | null)[][] } | null
    why: Text | null
  }[]
  record?: string
}

let offers: Promise<Offers> | undefined
// The same for everybody, and only the description: asked once a visit.
export function offers_read(): Promise<Offers> {
  offers ??= call<Offers>('GET', '/api/catalogue')
  offers.catch(() => (offers = undefined))
  return offers
}

export const access_preview = (content: AccessContent, signal?: AbortSignal) =>
  call<{ words: Words }>('POST', '/api/cases/access/preview', { body: { content }, signal })
export const case_open = (kind: string, body: StepBody & { action: string }) =>
  call<CaseFile>('POST', `/api/cases/${enc(kind)}`, { body })
export const case_read = (number: string) => call<CaseFile>('GET', `/api/cases/${enc(number)}`)
export const case_act = (number: string, action: string, body: StepBody) =>
  call<CaseFile>('POST', `/api/cases/${enc(number)}/${enc(action)}`, { body })
export const case_effect = (number: string) => call<Effect>('GET', `/api/cases/${enc(number)}/effect`)
export const case_attach = (number: string, file: File) =>
  call<CaseFile>('POST', `/api/cases/${enc(number)}/attachments?name=${enc(file.name)}`, { file })
export const case_paper = (number: string, paper: string) => `/api/cases/${enc(number)}/${paper}`

export interface Deputation { deputy: string; post: string; unit: string; begins: string; ends: string; reason: string }
export const deputy_appoint = (body: Deputation) => call<{ record: string }>('POST', '/api/deputies', { body })
export const deputy_end = (number: number) => call<{ record: string }>('POST', `/api/deputies/${number}/end`, { body: {} })

export type Prefill = NonNullable<Remedy['prefill']>
