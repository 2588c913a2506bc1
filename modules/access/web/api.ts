// Applications for access and grants (docs/api.md).
import { call } from '@/api/client'
import { kept } from '@/kernel/kept'
import type { Remedy, Schemas } from '@/api/types'

export type OfferedField = Schemas['OfferedField']
export type Offered = Schemas['Offered']
export type Offers = Schemas['Offers']
export type Holder = Schemas['Holder']
export type AccessContent = Schemas['AccessContent']
export type Fault = Schemas['Fault']
// Of a case that has none it is empty.
export type Words = Partial<Schemas['AccessWords']>
export type GrantLine = Schemas['GrantLine']
export type Granted = Pick<AccessContent, 'clear' | 'masked' | 'actions' | 'from' | 'until' | 'where' | 'minors'>
export type Effect = Schemas['Effect']

// The same for everybody, and only the description.
export const offers_read = kept<void, Offers>(() => call('GET', '/api/access/catalogue'))

export const access_preview = (content: AccessContent, signal?: AbortSignal) =>
  call<Schemas['AccessPreview']>('POST', '/api/access/preview', { body: { content }, signal })
export const case_effect = (number: string) => call<Effect>('GET', `/api/access/${encodeURIComponent(number)}/effect`)

export type Prefill = NonNullable<Remedy['prefill']>
