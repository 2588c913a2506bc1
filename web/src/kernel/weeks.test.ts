import { describe, expect, it } from 'vitest'
import { weekday_of } from './days'
import { date_in_week, meetings_in_week, place_day, week_of, weeks_parse, weeks_text, type Meeting } from './weeks'

const meeting = (id: string, from: number, to: number, weeks = '1-16'): Meeting => ({
  id, section: id, course: id, weekday: 1, from, to, weeks: weeks_parse(weeks), weeks_text: weeks, room: '', teacher: '',
})

describe('sets of weeks', () => {
  it('reads and writes the written form', () => {
    expect([...weeks_parse('1-3,5, 7-8')]).toEqual([1, 2, 3, 5, 7, 8])
    expect(weeks_text([8, 1, 2, 3, 5, 7])).toBe('1-3,5,7-8')
    expect(weeks_text(weeks_parse('2,4,6'))).toBe('2,4,6')
  })
  it('takes nothing from what is not a set and stops at the last week', () => {
    expect(weeks_parse('x,1-').size).toBe(0)
    expect(weeks_parse(null).size).toBe(0)
    expect(Math.max(...weeks_parse('59-99999'))).toBe(60)
  })
})

describe('calendar of a term', () => {
  it('knows weekdays', () => {
    expect(weekday_of('2026-11-23')).toBe(1)
    expect(weekday_of('2026-11-29T23:00:00+08:00')).toBe(7)
    expect(weekday_of('1970-01-01')).toBe(4)
  })
  it('counts weeks from the week of the first day', () => {
    expect(week_of('2026-09-09', '2026-09-07')).toBe(1) // first day a Wednesday: Monday of the same week is week 1
    expect(week_of('2026-09-07', '2026-09-14')).toBe(2)
    expect(week_of('2026-09-07', '2026-11-23')).toBe(12)
    expect(week_of('2026-09-07', '2026-09-06')).toBe(0)
    expect(date_in_week('2026-09-07', 12, 1)).toBe('2026-11-23')
  })
})

describe('week grid', () => {
  it('keeps the meetings of the week', () => {
    expect(meetings_in_week([meeting('a', 1, 2, '1-8'), meeting('b', 1, 2, '9-16')], 9).map((m) => m.id)).toEqual(['b'])
  })
  it('puts overlapping meetings side by side and others over the whole width', () => {
    const placed = place_day([meeting('a', 1, 2), meeting('b', 2, 4), meeting('c', 3, 4), meeting('d', 6, 7)])
    const by_id = Object.fromEntries(placed.map((m) => [m.id, [m.lane, m.lanes]]))
    expect(by_id).toEqual({ a: [0, 2], b: [1, 2], c: [0, 2], d: [0, 1] })
  })
})
