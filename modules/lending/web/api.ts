// The desk for lending and impersonation (§2.5.3), docs/api.md.
import { call } from '@/api/client'
import type { Text } from '@/api/types'

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

export const findings_read = (state: 'open' | 'closed') =>
  call<{ findings: Finding[] }>('GET', `/api/lending/findings?state=${state}`)
export const finding_dismiss = (id: number, reason: string) =>
  call<{ record: string }>('POST', `/api/lending/findings/${id}/dismiss`, { body: { reason } })
export const finding_step = (id: number, step: Step, reason: string) =>
  call<{ record: string }>('POST', `/api/lending/findings/${id}/step`, { body: { step, reason } })
export const finding_lift = (id: number, reason: string) =>
  call<{ record: string }>('POST', `/api/lending/findings/${id}/lift`, { body: { reason } })
