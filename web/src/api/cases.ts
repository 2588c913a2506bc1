// Cases and deputies (docs/api.md): the one way to act.
import { call } from './client'
import type { Schemas } from './types'

const enc = encodeURIComponent

export type CaseAction = Schemas['CaseAction']
export type CaseStep = Schemas['CaseStep']
export type CaseDue = Schemas['CaseDue']
export type CaseFile = Schemas['Case']

export type StepBody = Schemas['CaseTaking']

export const case_open = (kind: string, body: StepBody & { action: string }) =>
  call<CaseFile>('POST', '/api/cases', { body: { kind, ...body } })
export const case_read = (number: string) => call<CaseFile>('GET', `/api/cases/${enc(number)}`)
export const case_act = (number: string, action: string, body: StepBody) =>
  call<CaseFile>('POST', `/api/cases/${enc(number)}/${enc(action)}`, { body })
export const case_attach = (number: string, file: File) =>
  call<CaseFile>('POST', `/api/cases/${enc(number)}/attachments?name=${enc(file.name)}`, { file })
export const case_paper = (number: string, paper: string) => `/api/cases/${enc(number)}/${paper}`

export type Deputation = Schemas['Deputation']
export const deputy_offer = () => call<Schemas['DeputyOffer']>('GET', '/api/deputies/offer')
export const deputy_appoint = (body: Deputation) => call<Schemas['Done']>('POST', '/api/deputies', { body })
// Declining asks for no signature.
export const deputy_answer = (number: number, answer: 'accept' | 'decline' | 'end', proof: Schemas['Signature'] = {}) =>
  call<Schemas['Done']>('POST', `/api/deputies/${number}/${answer}`, { body: proof })
