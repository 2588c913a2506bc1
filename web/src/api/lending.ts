// Calls and types of lending (§2.5.3) and of the second factor (§3.1.1), docs/api.md.
import { call } from './client'
import type { Text } from './types'

export interface Factor {
  enrolled: boolean
  recovery_left: number
  since?: string
}

// What is in force against one's own account.
export interface Restriction {
  step: Step
  label: Text
  since: string
  seen: Text[]
  reason: string
  todo: Text
}

export type Step = 'none' | 'ask_second_factor' | 'read_only' | 'suspended'

export interface Finding {
  id: number
  account: string
  name: string
  kind: string
  rule: string
  label: Text
  clause: string
  score: number
  seen: Text
  from: string
  until: string
  found: string
  answered: boolean
  state: 'open' | 'dismissed' | 'settled'
  closed?: { at: string; by: string; reason: string }
  sessions: { id: number; began: string; ended?: string; zone: Text; remote: string }[]
  records: string[]
  step: Step
  steps: { step: Step; label: Text; at: string; by: string; reason: string; lifted?: { at: string; by: string; reason: string } }[]
}

// A 401 here means a wrong code, not the end of a session.
const open = true

export const factor_offer = (password: string) =>
  call<{ secret: string; uri: string; qr: string[] }>('POST', '/api/session/factor', { body: { password }, open })
export const factor_confirm = (code: string) =>
  call<{ recovery_codes: string[] }>('POST', '/api/session/factor/confirmation', { body: { code }, open })
export const recovery_renew = (code: string) =>
  call<{ recovery_codes: string[] }>('POST', '/api/session/factor/recovery', { body: { code }, open })
export const factor_remove = (code: string) => call<void>('POST', '/api/session/factor/removal', { body: { code }, open })
export const person_confirm = (given: { code: string } | { password: string }) =>
  call<void>('POST', '/api/session/confirmation', { body: given, open })

export const findings_read = (state: 'open' | 'closed') =>
  call<{ findings: Finding[] }>('GET', `/api/lending/findings?state=${state}`)
export const finding_dismiss = (id: number, reason: string) =>
  call<{ record: string }>('POST', `/api/lending/findings/${id}/dismiss`, { body: { reason } })
export const finding_step = (id: number, step: Step, reason: string) =>
  call<{ record: string }>('POST', `/api/lending/findings/${id}/step`, { body: { step, reason } })
export const finding_lift = (id: number, reason: string) =>
  call<{ record: string }>('POST', `/api/lending/findings/${id}/lift`, { body: { reason } })
export const factor_reset = (account: string, reason: string) =>
  call<{ record: string }>('POST', `/api/accounts/${encodeURIComponent(account)}/factor-reset`, { body: { reason } })
