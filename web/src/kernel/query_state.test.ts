import { describe, expect, it } from 'vitest'
import { state_checked, state_from_link, state_link, state_new } from './query_state'

describe('a query shared by link', () => {
  it('comes back as it went, without page tokens, and is run when opened', () => {
    const state = {
      ...state_new(), where: { field: 'student_name', op: 'contains' as const, value: '张三' }, order: [{ field: 'score', desc: true }],
      columns: ['student'], limit: 100, pages: [null, 'token'],
    }
    const read = state_from_link(state_link(state))
    expect(read).toEqual({ ...state, pages: [null], ran: true })
    expect(state_link(state)).toMatch(/^#q=[\w-]+$/)
  })
  it('takes nothing from what is no such link', () => {
    expect(state_from_link('#main')).toBeNull()
    expect(state_from_link('#q=%%%')).toBeNull()
    expect(state_checked('x', false)).toBeNull()
    expect(state_checked({ limit: 99999, order: [1], columns: [2, 'a'] }, false)).toEqual({ ...state_new(), columns: ['a'] })
  })
})
