// The desk for lending and impersonation (§2.5.3), docs/api.md: what it reads are datasets, what it does are acts.
import { call } from '@/api/client'
import type { Proof } from '@/kernel/signing'
import type { Schemas, Text } from '@/api/types'
import { field_of, rows_read, type Row, type Rows } from '@/kernel/catalogue'

export type Step = 'none' | 'ask_second_factor' | 'read_only' | 'suspended'

export interface Finding {
  id: number
  account: string
  name: string
  kind: string
  label: Text
  score: number
  seen: Text
  found: string
  answered: boolean
  state: string
  closed?: { at: string; by: string; reason: string }
  evidence: { began: string; zone: Text; remote: string }[]
  records: string[]
  step: Step
  steps: { step: Step; label: Text; at: string; by: string; reason: string; lifted?: { at: string; by: string; reason: string } }[]
}

const word = (row: Row, name: string) => String(row[name] ?? '')
const label_of = ({ dataset }: Rows, name: string, code: string): Text =>
  field_of(dataset, name)?.codes?.find((each) => each.code === code)?.name ?? { zh: code, en: code }
const among = async (dataset: string, field: string, values: (string | number)[]) =>
  rows_read(dataset, { where: { field, op: 'in', value: [...new Set(values)] }, limit: 1000 })

export async function findings_read(which: 'open' | 'closed'): Promise<Finding[]> {
  const found = await rows_read('lending_finding', {
    where: { field: 'state', op: 'in', value: which === 'open' ? ['open'] : ['dismissed', 'settled'] },
    order: [{ field: which === 'open' ? 'found' : 'closed', desc: true }],
  })
  if (!found.rows.length) return []
  const [steps, evidence] = await Promise.all([
    among('lending_step', 'holder', found.rows.map((row) => word(row, 'holder'))),
    among('lending_evidence', 'finding', found.rows.map((row) => Number(row.number))),
  ])
  const origin = found.answer.record?.replace(/\/\d+$/, '')
  return found.rows.map((row) => {
    const taken = steps.rows.filter((step) => step.holder === row.holder)
    return {
      id: Number(row.number), account: word(row, 'holder'), name: word(row, 'holder_name'), kind: word(row, 'holder_kind'),
      label: label_of(found, 'rule', word(row, 'rule')), score: Number(row.score), seen: { zh: word(row, 'seen_zh'), en: word(row, 'seen_en') },
      found: word(row, 'found'), answered: row.answered !== null, state: word(row, 'state'),
      closed: row.closed === null ? undefined : { at: word(row, 'closed'), by: word(row, 'closed_name'), reason: word(row, 'closed_reason') },
      evidence: evidence.rows
        .filter((one) => one.finding === row.number)
        .map((one) => ({ began: word(one, 'began'), zone: { zh: word(one, 'zone_zh'), en: word(one, 'zone_en') }, remote: word(one, 'remote') })),
      records: (JSON.parse(word(row, 'leaves')) as number[]).map((leaf) => `${origin}/${leaf}`),
      step: (taken.find((step) => step.lifted === null)?.step ?? 'none') as Step,
      steps: taken.map((step) => ({
        step: word(step, 'step') as Step, label: label_of(steps, 'step', word(step, 'step')), at: word(step, 'taken'), by: word(step, 'taken_name'),
        reason: word(step, 'reason'),
        lifted: step.lifted === null ? undefined : { at: word(step, 'lifted'), by: word(step, 'lifted_name'), reason: word(step, 'lifted_reason') },
      })),
    }
  })
}

export const finding_dismiss = (id: number, reason: string, proof: Proof) =>
  call<Schemas['Done']>('POST', `/api/lending/findings/${id}/dismiss`, { body: { reason, ...proof } })
export const finding_step = (id: number, step: Step, reason: string, proof: Proof) =>
  call<Schemas['Done']>('POST', `/api/lending/findings/${id}/step`, { body: { step, reason, ...proof } })
export const finding_lift = (id: number, reason: string, proof: Proof) =>
  call<Schemas['Done']>('POST', `/api/lending/findings/${id}/lift`, { body: { reason, ...proof } })
