// Cases and deputies (docs/api.md): the one way to act.
import { call } from './client'
import type { Text } from './types'

const enc = encodeURIComponent

export interface Named { name: string; label: Text }

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
  content?: Record<string, unknown> // only for who is still writing it
  fields: CaseField[]
  words?: { reason?: string } & Record<string, unknown> // what the kind says of its content
  steps: CaseStep[]
  letters: { number: string; title: string; sha256: string; made: string; revoked: boolean }[]
  attachments: { id: number; name: string; media: string; sha256: string; added: string }[]
  actions: CaseAction[]
  signature_key: string
  record?: string
}

// A declared member of the content; `value` only in clear.
export interface CaseField {
  name: string
  label: Text
  level: number
  sight: 'clear' | 'hidden'
  value: unknown
}

export interface StepBody {
  revision?: number
  opinion?: string
  content?: unknown
  password?: string
  [of_the_kind: string]: unknown
}

export const case_open = (kind: string, body: StepBody & { action: string }) =>
  call<CaseFile>('POST', '/api/cases', { body: { kind, ...body } })
export const case_read = (number: string) => call<CaseFile>('GET', `/api/cases/${enc(number)}`)
export const case_act = (number: string, action: string, body: StepBody) =>
  call<CaseFile>('POST', `/api/cases/${enc(number)}/${enc(action)}`, { body })
export const case_attach = (number: string, file: File) =>
  call<CaseFile>('POST', `/api/cases/${enc(number)}/attachments?name=${enc(file.name)}`, { file })
export const case_paper = (number: string, paper: string) => `/api/cases/${enc(number)}/${paper}`

export interface Deputation { deputy: string; post: string; unit: string; begins: string; ends: string; reason: string }
export const deputy_appoint = (body: Deputation) => call<{ record: string }>('POST', '/api/deputies', { body })
export const deputy_end = (number: number) => call<{ record: string }>('POST', `/api/deputies/${number}/end`, { body: {} })
