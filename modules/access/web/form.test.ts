import { beforeEach, describe, expect, it } from 'vitest'
import { leaf_new } from '@/kernel/condition'
import type { Offered, Words } from './api'
import {
  builder_fields, choices_for, content_of, days_until, faults_by_part, form_from_content, form_from_prefill, form_keep, form_kept, form_new,
  grant_over, granted_of, narrowed_from,
  type Choice,
} from './form'

const label = { zh: '某', en: 'some' }
const field = (name: string, level: number, masked: boolean, sight: Choice = 'clear') => ({
  name, label, level, masked, sight, type: 'text' as const, operators: ['eq' as const],
})
const evaluation: Offered = {
  name: 'evaluation', label, module: 'evaluation', owner_unit: 'jwc', rows: 'taught', relations: [{ name: 'self', label }, { name: 'taught', label }],
  fields: [field('student', 2, false), field('total', 3, true, 'masked'), field('bonus', 3, false, 'none'), field('term', 1, false)],
}

describe('the form', () => {
  it('begins with what the server proposes, and with what is wanted', () => {
    expect(choices_for(evaluation)).toEqual({ student: 'clear', total: 'masked', bonus: 'none', term: 'clear' })
    expect(choices_for(evaluation, ['bonus'])).toEqual({ student: 'clear', total: 'none', bonus: 'clear', term: 'none' })
    expect(choices_for(evaluation, ['no_such_field'])).toEqual(choices_for(evaluation))
  })
  it('begins with what was refused', () => {
    const form = form_from_prefill({ dataset: 'evaluation', fields: ['total'], actions: ['export'], purpose: 'study' }, evaluation, '2026-11-24')
    expect(form).toMatchObject({ dataset: 'evaluation', rows: 'taught', purpose: 'study', from: '2026-11-24', actions: ['query', 'detail', 'export'] })
    expect(form_from_prefill({ dataset: 'gone' }, undefined, '2026-11-24')).toEqual(form_new('2026-11-24'))
  })
  it('comes back from what it sent', () => {
    const form = form_from_prefill({ dataset: 'evaluation' }, evaluation, '2026-11-24')
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
    expect(content_of(form_new('2026-11-24'))).toEqual({
      clear: [],
      masked: [],
      actions: ['query', 'detail'],
      minors: false,
      from: '2026-11-24',
      holder: 'self',
    })
  })
  it('finds the part that a fault speaks of', () => {
    const parts = faults_by_part(
      [
        { field: 'content.rows.all[0].value', code: 'type', text: label },
        { field: 'undertaking', code: 'required', text: label },
      ],
      'content',
    )
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

describe('a grant', () => {
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
