// Keeping the calendar (docs/api.md); everybody reads it by calendar_read.
import { call } from '@/api/client'
import type { Schemas, Text } from '@/api/types'
import type { Proof } from '@/kernel/signing'

export type CalendarPreview = Schemas['CalendarChecked']['years'][number]
export type CalendarChanged = Schemas['CalendarChanged']

export const calendar_check = (file: string) =>
  call<Schemas['CalendarChecked']>('POST', '/api/calendar/check', { body: { file } })
export const calendar_import = (file: string, reason: string, proof: Proof) =>
  call<CalendarChanged>('POST', '/api/calendar/years', { body: { file, reason, ...proof } })
export const window_add = (begins: string, ends: string, reason: Text, proof: Proof) =>
  call<CalendarChanged>('POST', '/api/calendar/windows', { body: { begins, ends, reason, ...proof } })
export const window_withdraw = (id: number, reason: string, proof: Proof) =>
  call<CalendarChanged>('POST', `/api/calendar/windows/${id}/withdrawal`, { body: { reason, ...proof } })
