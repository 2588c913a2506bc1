import { describe, expect, it } from 'vitest'
import { average_of, by_term, type Graded } from './gpa'

const row = (course: string, credits: number | null, points: number | null, passed: boolean | null): Graded => ({
  term: '2025-2026-1', course, credits, points, passed,
})

describe('grades with GPA', () => {
  it('weights by credits, exactly', () => {
    const average = average_of([row('A', 4, 3.7, true), row('B', 2.5, 4, true), row('C', 1, 0, false)])
    expect(average).toEqual({ gpa: '3.31', credits_counted: '7.5', credits_passed: '6.5', courses: 3 })
  })
  it('rounds half up where binary fractions would not', () => {
    // (1 × 1.00 + 1 × 1.01) ÷ 2 = 1.005
    expect(average_of([row('A', 1, 1, true), row('B', 1, 1.01, true)]).gpa).toBe('1.01')
  })
  it('leaves out rows without points and counts a passed course once', () => {
    const average = average_of([row('A', 3, null, null), row('B', 2, 0, false), row('B', 2, 1, true), row('B', 2, 2, true)])
    expect(average.gpa).toBe('1.00')
    expect(average.credits_passed).toBe('2')
    expect(average.courses).toBe(2)
  })
  it('has no average when nothing counts', () => {
    expect(average_of([]).gpa).toBeNull()
    expect(average_of([row('A', 3, null, null)]).gpa).toBeNull()
  })
  it('groups by term, newest first', () => {
    const rows = ['2024-2025-2', '2025-2026-1', '2024-2025-2'].map((term) => ({ term }))
    expect(by_term(rows).map((group) => [group.term, group.rows.length])).toEqual([['2025-2026-1', 1], ['2024-2025-2', 2]])
  })
})
