// Every call of docs/api.md the pages use, one function each.
import { call } from './client'
import type { Answer, CalendarYear, Dataset, Document, Me, Query, Schemas, Session, Verified } from './types'

const enc = encodeURIComponent

export const session_open = (account: string, password: string, new_password?: string, code?: string) =>
  call<Session>('POST', '/api/session', { body: { account, password, new_password, code }, open: true })
export const session_close = () => call<void>('DELETE', '/api/session', { open: true })
export const password_change = (old_password: string, new_password: string, code?: string) =>
  call<void>('POST', '/api/session/password', { body: { old_password, new_password, code } })

export const agreement_sign = (proof: Schemas['Signature']) =>
  call<Schemas['Done']>('POST', '/api/session/agreement', { body: proof })

export const factor_offer = (password: string) =>
  call<Schemas['FactorOffer']>('POST', '/api/session/factor', { body: { password } })
export const factor_confirm = (code: string) =>
  call<Schemas['RecoveryCodes']>('POST', '/api/session/factor/confirmation', { body: { code } })
export const recovery_renew = (code: string) =>
  call<Schemas['RecoveryCodes']>('POST', '/api/session/factor/recovery', { body: { code } })
export const factor_remove = (code: string) => call<Schemas['Done']>('POST', '/api/session/factor/removal', { body: { code } })
// The dialog that asks this ends the session by itself.
export const person_confirm = (given: { code: string } | { password: string }) =>
  call<Schemas['Done']>('POST', '/api/session/confirmation', { body: given, open: true })

export const me_read = () => call<Me>('GET', '/api/me', { open: true })

export const dataset_read = (name: string) => call<Dataset>('GET', `/api/datasets/${enc(name)}`)
export const row_read = (name: string, key: string[]) =>
  call<Answer>('GET', `/api/datasets/${enc(name)}/${key.map(enc).join('~')}`)

export const query_run = (query: Query, signal?: AbortSignal) =>
  call<Answer>('POST', '/api/query', { body: query, signal })

export const document_make = (query: Query, format: 'csv', purpose: string) =>
  call<Document>('POST', '/api/documents', { body: { query, format, purpose } })
export const document_verify = (code: string) => call<Verified>('GET', `/api/verify/${enc(code)}`, { open: true })

export const checkpoint_read = () => call<Schemas['Checkpoint']>('GET', '/api/audit/checkpoint')
export const proof_read = (leaf: string) => call<Schemas['InclusionProof']>('GET', `/api/audit/proof?leaf=${enc(leaf)}`)
export const consistency_read = (from: number, to: number) =>
  call<Schemas['ConsistencyProof']>('GET', `/api/audit/consistency?from=${from}&to=${to}`)

export const calendar_read = (year: number) => call<CalendarYear>('GET', `/api/calendar?year=${year}`)

export const notices_unread = () => call<Schemas['Unread']>('GET', '/api/notices/unread', { open: true })
export const notices_mark = (ids: number[] | 'all') =>
  call<Schemas['NoticesMarked']>('POST', '/api/notices/read', { body: ids === 'all' ? { all: true } : { ids } })
