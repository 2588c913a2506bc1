// The persons of a made-up university, and one question asked by several of them (docs/api.md).
import { call } from '@/api/client'
import type { Answer, Problem, Query, Session, Text } from '@/api/types'

export interface DemoPerson {
  account: string
  kind: string
  name: string
  note: Text
}

export interface Compared {
  account: string
  kind: string
  name: string
  status: number
  answer?: Answer
  problem?: Problem
}

export const demo_persons = () => call<{ persons: DemoPerson[] }>('GET', '/api/demo/persons', { open: true })
export const demo_session = (account: string) =>
  call<Session>('POST', '/api/demo/session', { body: { account }, open: true })
export const demo_compare = (query: Query, accounts: string[]) =>
  call<{ answers: Compared[] }>('POST', '/api/demo/compare', { body: { query, accounts }, open: true })
