import { describe, expect, it } from 'vitest'
import type { CaseAction } from '@/api/cases'
import type { Post } from '@/api/types'
import { action_of_key, case_rows, days_between, last_day, next_after, waiting_where } from './cases'

const label = { zh: '某', en: 'some' }
const post = (name: string, ...units: string[]): Post => ({ name, label, clause: '2.1.1', units })

describe('what waits for me', () => {
  it('is only what I am to amend, for somebody without a desk', () => {
    expect(waiting_where({ account: 'T1', posts: [post('teacher', '03000')] })).toEqual({
      all: [{ field: 'applicant', op: 'eq', value: 'T1' }, { field: 'waits_for', op: 'eq', value: 'applicant' }],
    })
  })
  it('is what my units sign and what is asked of their data, those I stand in for included', () => {
    const where = waiting_where({ account: 'T1', posts: [post('department_head', 'a')] }, [
      { post: 'department_head', unit: 'b' },
      { post: 'academic_office', unit: 'jwc' },
    ])
    expect(JSON.stringify(where)).toContain('"sign_unit","op":"in","value":["a","b"]')
    expect(JSON.stringify(where)).toContain('"owner_unit","op":"in","value":["a","b"]')
    expect(JSON.stringify(where)).toContain('"value":"office"')
    expect(JSON.stringify(where)).not.toContain('"value":"security"')
  })
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
      scope: { text: label, basis: [] },
    })
    expect(row).toMatchObject({ number: '2026-0001', title: '甲', due: null, lateness: 'in_time' })
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
  const action = (name: string, allowed = true): CaseAction => ({ action: name, label, allowed, opinion: 'none', signs: true })
  it('mean the step that the person may take', () => {
    const office = [action('approve'), action('refuse'), action('send_back'), action('withdraw', false)]
    expect(action_of_key('a', office)?.action).toBe('approve')
    expect(action_of_key('r', office)?.action).toBe('refuse')
    expect(action_of_key('b', office)?.action).toBe('send_back')
    const head = [action('sign'), action('decline')]
    expect(action_of_key('a', head)?.action).toBe('sign')
    expect(action_of_key('s', head)?.action).toBe('sign')
    expect(action_of_key('r', head)?.action).toBe('decline')
  })
  it('mean nothing when the step is somebody else’s', () => {
    expect(action_of_key('a', [action('approve', false)])).toBeUndefined()
    expect(action_of_key('x', [action('approve')])).toBeUndefined()
  })
})
