// Applications for access and grants (docs/api.md).
import type { Named } from '@/api/cases'
import { call } from '@/api/client'
import { kept } from '@/kernel/kept'
import type { Code, FieldType, Operator, Remedy, Text, Where } from '@/api/types'

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
// What the server says of a case of this module: an application tells words, the others the grants concerned.
export interface CaseWords extends Words {
  granted?: Words
  grant?: GrantLine
  grants?: GrantLine[]
}

export interface Granted { clear?: string[]; masked?: string[]; actions?: string[]; from?: string; until?: string; where?: Where; minors?: boolean }

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

// The same for everybody, and only the description.
export const offers_read = kept<void, Offers>(() => call('GET', '/api/access/catalogue'))

export const access_preview = (content: AccessContent, signal?: AbortSignal) =>
  call<{ words: Words }>('POST', '/api/access/preview', { body: { content }, signal })
export const case_effect = (number: string) => call<Effect>('GET', `/api/access/${encodeURIComponent(number)}/effect`)

export type Prefill = NonNullable<Remedy['prefill']>
