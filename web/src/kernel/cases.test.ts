import { beforeEach, describe, expect, it } from 'vitest'
import type { CaseAction, Offered, Words } from '@/api/cases'
import type { Post } from '@/api/types'
import {
  action_of_key, builder_fields, case_rows, choices_for, content_of, days_between, days_until, faults_by_part, form_from_content,
  form_from_prefill, form_keep, form_kept, form_new, grant_over, granted_of, last_day, narrowed_from, next_after, usual_rows, waiting_where,
} from './cases'
import { leaf_new } from './condition'

const label = { zh: '某', en: 'some' }
const post = (name: string, ...units: string[]): Post => ({ name, label, clause: '2.1.1', units })
const field = (name: string, level: number, masked: boolean) => ({ name, label, level, masked, type: 'text' as const, operators: ['eq' as const] })
const evaluation: Offered = {
  name: 'evaluation', label, module: 'evaluation', owner_unit: 'jwc', relations: [{ name: 'self', label }, { name: 'taught', label }],
  fields: [field('student', 2, false), field('total', 3, true), field('bonus', 3, false), field('term', 1, false)],
}

describe('what waits for me', () => {
  it('is only what I am to amend, for somebody without a desk', () => {
    expect(waiting_where({ account: 'T1', posts: [post('teacher', '03000')] })).toEqual({
      all: [{ field: 'applicant', op: 'eq', value: 'T1' }, { field: 'waits_for', op: 'eq', value: 'applicant' }],
    })
  })
  it('is what my units sign and what is asked of their data, those I stand in for included', () => {
    const where = waiting_where({ account: 'T1', posts: [post('department_head', 'a')] }, [{ post: 'department_head', unit: 'b' }, { post: 'academic_office', unit: 'jwc' }])
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
    const [row] = case_rows({ columns: [column('title'), column('number'), column('due')], rows: [['甲', '2026-0001', null]], scope: { text: label, basis: [] } })
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
    const days = [['2026-11-24', true], ['2026-11-25', true], ['2026-11-28', false], ['2026-11-30', true], ['2026-12-01', true]].map(([date, works]) => ({ date: String(date), works: Boolean(works) }))
    expect(days_between(days, '2026-11-24', '2026-11-30')).toBe(2)
    expect(days_between(days, '2026-11-30', '2026-11-30')).toBe(0)
  })
  it('go by the time, not by the state last written down', () => {
    const now = '2026-11-24T09:00:00+08:00'
    expect(grant_over({ state: 'expired', valid_until: '2027-01-01T00:00:00+08:00' }, now)).toBe(false)
    expect(grant_over({ state: 'valid', valid_until: '2026-11-24T09:00:00+08:00' }, now)).toBe(true)
    expect(grant_over({ state: 'revoked', valid_until: '2027-01-01T00:00:00+08:00' }, now)).toBe(true)
  })
  it('say how long a grant goes on', () => {
    expect(days_until('2026-11-24T09:00:00+08:00', '2027-01-01T00:00:00+08:00')).toBe(37)
    expect(days_until('2026-12-31T23:00:00+08:00', '2027-01-01T00:00:00+08:00')).toBe(0)
  })
})

describe('the form', () => {
  it('asks for sensitive fields masked where they have a mask, else not at all', () => {
    expect(choices_for(evaluation)).toEqual({ student: 'clear', total: 'masked', bonus: 'none', term: 'clear' })
    expect(choices_for(evaluation, ['bonus'])).toEqual({ student: 'clear', total: 'none', bonus: 'clear', term: 'none' })
    expect(choices_for(evaluation, ['no_such_field'])).toEqual(choices_for(evaluation))
  })
  it('suggests the rows nearest to the post', () => {
    expect(usual_rows(evaluation, ['teacher', 'staff'])).toBe('taught')
    expect(usual_rows(evaluation, ['finance_office'])).toBe('')
    expect(usual_rows({ ...evaluation, relations: [] }, [])).toBe('all')
  })
  it('begins with what was refused', () => {
    const form = form_from_prefill({ dataset: 'evaluation', fields: ['total'], actions: ['export'], purpose: 'study' }, evaluation, '2026-11-24', ['teacher'])
    expect(form).toMatchObject({ dataset: 'evaluation', rows: 'taught', purpose: 'study', from: '2026-11-24', actions: ['query', 'detail', 'export'] })
    expect(form_from_prefill({ dataset: 'gone' }, undefined, '2026-11-24', [])).toEqual(form_new('2026-11-24'))
  })
  it('comes back from what it sent', () => {
    const form = form_from_prefill({ dataset: 'evaluation' }, evaluation, '2026-11-24', ['teacher'])
    Object.assign(form, { purpose: 'study', reason: '学业指导', until: '2026-12-31', holder: 'teacher 03000' })
    form.conditions.items.push({ ...leaf_new(), field: 'term', op: 'eq', value: '2026' })
    const sent = content_of(form)
    expect(sent).toMatchObject({ rows: 'taught', where: { field: 'term', op: 'eq', value: '2026' }, holder: { post: 'teacher', unit: '03000' } })
    expect(content_of(form_from_content(sent, evaluation, '2026-11-24'))).toEqual(sent)
  })
  it('keeps a condition deeper than the builder shows', () => {
    const deep = { all: [{ any: [{ all: [{ field: 'term', op: 'eq' as const, value: '1' }] }] }] }
    const form = form_from_content({ dataset: 'evaluation', rows: deep }, evaluation, '2026-11-24')
    expect(form.rows).toBe('condition')
    expect(content_of(form).rows).toEqual(deep)
  })
  it('sends only what is filled in', () => {
    expect(content_of(form_new('2026-11-24'))).toEqual({ clear: [], masked: [], actions: ['query', 'detail'], minors: false, from: '2026-11-24', holder: 'self' })
  })
  it('finds the part that a fault speaks of', () => {
    const parts = faults_by_part([{ field: 'content.rows.all[0].value', code: 'type', text: label }, { field: 'undertaking', code: 'required', text: label }], 'content')
    expect([...parts.keys()]).toEqual(['rows', 'undertaking'])
  })
  it('offers pickers only for what one may query', () => {
    const fields = builder_fields({ ...evaluation, fields: [{ ...field('student', 2, false), type: 'ref', ref: { dataset: 'student' } }] }, () => false)
    expect(fields[0]?.ref).toEqual({ dataset: 'student', queryable: false })
  })
})

describe('a form not sent yet', () => {
  beforeEach(() => sessionStorage.clear())
  it('is there after a reload, for the same person only', () => {
    const form = { ...form_new('2026-11-24'), dataset: 'evaluation', reason: '学业指导' }
    form_keep({ account: 'T1' }, form)
    expect(form_kept({ account: 'T1' }, '2026-11-24')).toEqual(form)
    expect(form_kept({ account: 'T2' }, '2026-11-24')).toBeNull()
    form_keep({ account: 'T1' }, null)
    expect(form_kept({ account: 'T1' }, '2026-11-24')).toBeNull()
  })
  it('is kept apart for each draft and its revision', () => {
    const form = { ...form_new('2026-11-24'), dataset: 'evaluation' }
    form_keep({ account: 'T1' }, form, { number: '2026-0001', revision: 2 })
    expect(form_kept({ account: 'T1' }, '2026-11-24', { number: '2026-0001', revision: 2 })).toEqual(form)
    expect(form_kept({ account: 'T1' }, '2026-11-24', { number: '2026-0001', revision: 3 })).toBeNull()
    expect(form_kept({ account: 'T1' }, '2026-11-24')).toBeNull()
  })
  it('is nothing when what was kept cannot be read', () => {
    sessionStorage.setItem('jiaowu.apply.T1', '{')
    expect(form_kept({ account: 'T1' }, '2026-11-24')).toBeNull()
  })
})

describe('narrowing', () => {
  const words: Words = {
    fields: [{ name: 'student', label, level: 2, sight: 'clear' }, { name: 'total', label, level: 3, sight: 'masked' }],
    actions: [{ name: 'query', label }, { name: 'export', label }], from: '2026-11-24', until: '2026-12-31', minors: { concerned: true, asked: true },
  }
  it('sends nothing when nothing was changed', () => {
    expect(granted_of(words, narrowed_from(words))).toBeUndefined()
  })
  it('sends what was changed and no more', () => {
    const narrowed = narrowed_from(words)
    narrowed.choices.total = 'none'
    narrowed.actions = ['query']
    narrowed.until = '2026-12-01'
    narrowed.minors = false
    narrowed.conditions.items.push({ ...leaf_new(), field: 'student', op: 'eq', value: '1' })
    expect(granted_of(words, narrowed)).toEqual({
      clear: ['student'], masked: [], actions: ['query'], until: '2026-12-01', minors: false, where: { field: 'student', op: 'eq', value: '1' },
    })
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
