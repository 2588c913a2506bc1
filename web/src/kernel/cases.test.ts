import { describe, expect, it } from 'vitest'
import type { CaseAction } from '@/api/cases'
import { action_of_key, case_rows, days_between, key_of_action, last_day, next_after } from './cases'

const label = { zh: '某', en: 'some' }

describe('what waits', () => {
  it('goes on with the one that takes the place of the one done', () => {
    expect(next_after(['1', '2', '3'], '2')).toBe('3')
    expect(next_after(['1', '2', '3'], '3')).toBe('2')
    expect(next_after(['1'], '1')).toBeNull()
  })
  it('reads rows by name, whatever their order', () => {
    const column = (name: string) => ({ name, label, type: 'text' as const })
    const [row] = case_rows({
      columns: [column('title'), column('number'), column('due')],
      rows: [['甲', '2026-0001', null]],
      hidden: { fields: {}, cells: [] },
      next: null,
      scope: { text: label, basis: [] },
      record: '',
    })
    expect(row).toMatchObject({ number: '2026-0001', title: '甲', due: null })
  })
})

describe('deadlines', () => {
  it('end with the last day in time', () => {
    expect(last_day('2026-12-01T00:00:00+08:00')).toBe('2026-11-30')
    expect(last_day('2026-12-01T12:00:00+08:00')).toBe('2026-12-01')
    expect(last_day('2027-01-01T00:00:00+08:00')).toBe('2026-12-31')
  })
  it('count working days after today', () => {
    const days = [
      ['2026-11-24', true],
      ['2026-11-25', true],
      ['2026-11-28', false],
      ['2026-11-30', true],
      ['2026-12-01', true],
    ].map(([date, works]) => ({ date: String(date), works: Boolean(works) }))
    expect(days_between(days, '2026-11-24', '2026-11-30')).toBe(2)
    expect(days_between(days, '2026-11-30', '2026-11-30')).toBe(0)
  })
})

describe('keys of the queue', () => {
  const action = (name: string, tone: CaseAction['tone'], allowed = true): CaseAction => ({
    action: name, label, allowed, opinion: 'none', signs: true, tone, once: false, in_form: false, takes: [],
  })
  const office = [action('reject', 'bad', false), action('approve', 'good'), action('refuse', 'bad'), action('send_back', 'back'), action('end', 'bad')]
  it('mean the first step of their tone that the person may take', () => {
    expect(['a', 's', 'r', 'b'].map((key) => action_of_key(key, office)?.action)).toEqual(['approve', 'approve', 'refuse', 'send_back'])
  })
  it('are shown on the steps that they mean, and on no other', () => {
    expect(office.map((one) => key_of_action(one, office))).toEqual(['', 'A', 'R', 'B', ''])
  })
  it('mean nothing when the step is somebody else’s', () => {
    expect(action_of_key('a', [action('approve', 'good', false)])).toBeUndefined()
    expect(action_of_key('x', office)).toBeUndefined()
  })
})
