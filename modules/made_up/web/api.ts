// The persons of a made-up university, and one question asked by several of them (docs/api.md).
import { call } from '@/api/client'
import type { Query, Schemas, Session } from '@/api/types'

export type DemoPerson = Schemas['DemoPerson']
export type Compared = Schemas['Compared']

export const demo_persons = () => call<Schemas['DemoPersons']>('GET', '/api/demo/persons', { open: true })
export const demo_session = (account: string) =>
  call<Session>('POST', '/api/demo/session', { body: { account }, open: true })
export const demo_compare = (query: Query, accounts: string[]) =>
  call<Schemas['DemoCompared']>('POST', '/api/demo/compare', { body: { query, accounts }, open: true })
