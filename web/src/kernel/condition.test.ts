import { describe, expect, it } from 'vitest'
import type { Where } from '@/api/types'
import { conditions_read, conditions_wire, group_new, leaf_at, leaf_new, usual_operator, value_for, type LeafItem } from './condition'

const leaf = (part: Partial<LeafItem>): LeafItem => ({ ...leaf_new(), ...part })

describe('conditions', () => {
  it('leaves out what is empty', () => {
    expect(conditions_wire({ join: 'all', items: [leaf({ field: 'term' }), leaf({ field: '', value: 'x' })] })).toBeUndefined()
  })
  it('writes one condition bare and several joined', () => {
    const term = leaf({ field: 'term', value: '2025-2026-1' })
    const low = leaf({ field: 'score', op: 'lt', value: 60, not: true })
    expect(conditions_wire({ join: 'all', items: [term] })).toEqual({ field: 'term', op: 'eq', value: '2025-2026-1' })
    expect(conditions_wire({ join: 'any', items: [term, low] })).toEqual({
      any: [{ field: 'term', op: 'eq', value: '2025-2026-1' }, { not: { field: 'score', op: 'lt', value: 60 } }],
    })
  })
  it('makes a half-open range of a half-filled between', () => {
    const range = (value: (number | null)[]) => conditions_wire({ join: 'all', items: [leaf({ field: 's', op: 'between', value })] })
    expect(range([60, 70])).toEqual({ field: 's', op: 'between', value: [60, 70] })
    expect(range([60, null])).toEqual({ field: 's', op: 'ge', value: 60 })
    expect(range([null, 70])).toEqual({ field: 's', op: 'le', value: 70 })
    expect(range([null, null])).toBeUndefined()
  })
  it('comes back from the wire as it went', () => {
    const group = group_new([leaf({ field: 'a', value: 1 }), leaf({ field: 'b', op: 'is_null', value: true })])
    group.not = true
    const conditions = { join: 'all' as const, items: [leaf({ field: 't', value: 'x' }), group] }
    const wire = conditions_wire(conditions)!
    const read = conditions_read(JSON.parse(JSON.stringify(wire)) as Where)!
    expect(conditions_wire(read)).toEqual(wire)
  })
  it('says when a query is deeper than it can show', () => {
    const deep: Where = { all: [{ any: [{ all: [{ field: 'a', op: 'eq', value: 1 }] }] }] }
    expect(conditions_read(deep)).toBeNull()
  })
  it('chooses what people usually mean', () => {
    expect(usual_operator({ type: 'text', operators: ['eq', 'contains'] })).toBe('contains')
    expect(usual_operator({ type: 'code', operators: ['eq', 'in'] })).toBe('eq')
    expect(value_for('in', 'x')).toEqual(['x'])
    expect(value_for('between', 5)).toEqual([5, null])
    expect(value_for('eq', ['a', 'b'])).toBe('a')
  })
  it('finds the condition a fault of the server speaks of', () => {
    const empty = leaf({ field: 'x' })
    const term = leaf({ field: 't', value: 'x' })
    const low = leaf({ field: 's', op: 'lt', value: 'y' })
    const group = group_new([empty, low])
    expect(leaf_at({ join: 'all', items: [empty, term] }, 'where.value')?.id).toBe(term.id)
    expect(leaf_at({ join: 'all', items: [term, empty, low] }, 'where.all[1].value')?.id).toBe(low.id)
    expect(leaf_at({ join: 'all', items: [term, group] }, 'where.all[1].any[0].value')?.id).toBe(low.id)
    expect(leaf_at({ join: 'all', items: [group] }, 'where.any[0].not.value')?.id).toBe(low.id)
    expect(leaf_at({ join: 'all', items: [term] }, 'order[0].field')).toBeNull()
  })
})
