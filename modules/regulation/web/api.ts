// Permission administration (docs/api.md): the regulation in force, and who sees what; its history and proposals are datasets.
import { call } from '@/api/client'
import type { Schemas } from '@/api/types'

export type { Sight } from '@/api/types'
export type Rule = Schemas['Rule']
export type RuleShown = Schemas['RuleShown']
export type RegulationDataset = Schemas['RegulationDataset']
export type RegulationPost = Schemas['RegulationPost']
export type RowChange = Schemas['RowChange']
export type Regulation = Schemas['Regulation']
export type EffectOne = Schemas['EffectOne']
export type SightCell = Schemas['SightCell']
export type SightPerson = Schemas['SightPerson']
export type Preview = Schemas['RegulationPreview']
export type Change = Schemas['RegulationEdit']
export type Asked = Schemas['RegulationAsked']
export type Acted = Schemas['RegulationActed']

const enc = encodeURIComponent
export const regulation_read = () => call<Regulation>('GET', '/api/regulation')
export const regulation_difference = (from: number, to: number) =>
  call<Schemas['RegulationDifference']>('GET', `/api/regulation/difference?from=${from}&to=${to}`)
export const regulation_preview = (asked: Asked) => call<Preview>('POST', '/api/regulation/preview', { body: asked })
export const regulation_propose = (base: number, changes: Change[], note: string, clause: string) =>
  call<Acted>('POST', '/api/regulation/proposals', { body: { base, changes, note, clause } })
export const regulation_rollback = (base: number, to: number, note: string) => call<Acted>('POST', '/api/regulation/rollback', { body: { base, to, note } })
// Who decides shows again who it is: a code of the second factor, or the password.
export const regulation_decide = (id: number, what: 'approve' | 'reject', proof: { password?: string; code?: string }, reason?: string) =>
  call<Acted>('POST', `/api/regulation/proposals/${id}/${what}`, { body: { ...proof, reason } })
export const regulation_withdraw = (id: number) => call<Acted>('POST', `/api/regulation/proposals/${id}/withdraw`, { body: {} })
export const sight_cell = (dataset: string, key: string, field: string) =>
  call<SightCell>('GET', `/api/sight/cell?dataset=${enc(dataset)}&key=${enc(key)}&field=${enc(field)}`)
export const sight_person = (account: string) => call<SightPerson>('GET', `/api/sight/person?account=${enc(account)}`)
