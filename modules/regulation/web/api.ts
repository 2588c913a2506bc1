// Permission administration (docs/api.md): the regulation in force, and who sees what; its history and proposals are datasets.
import { call } from '@/api/client'
import type { Schemas } from '@/api/types'
import type { Proof } from '@/kernel/signing'

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
export const regulation_propose = (base: number, changes: Change[], note: string, clause: string, proof: Proof) =>
  call<Acted>('POST', '/api/regulation/proposals', { body: { base, changes, note, clause, ...proof } })
export const regulation_rollback = (base: number, to: number, note: string, proof: Proof) =>
  call<Acted>('POST', '/api/regulation/rollback', { body: { base, to, note, ...proof } })
export const regulation_decide = (id: number, what: 'approve' | 'reject', reason: string, proof: Proof) =>
  call<Acted>('POST', `/api/regulation/proposals/${id}/${what}`, { body: { reason, ...proof } })
export const regulation_withdraw = (id: number, proof: Proof) =>
  call<Acted>('POST', `/api/regulation/proposals/${id}/withdraw`, { body: proof })
export const sight_cell = (dataset: string, key: string, field: string) =>
  call<SightCell>('GET', `/api/sight/cell?dataset=${enc(dataset)}&key=${enc(key)}&field=${enc(field)}`)
export const sight_person = (account: string) => call<SightPerson>('GET', `/api/sight/person?account=${enc(account)}`)
