import { describe, expect, it } from 'vitest'
import type { CalendarDay } from '@/api/types'
import { months_of, span_text, spans_of } from './calendar'

function year(special: Record<string, [CalendarDay['kind'], string]>) {
  const days: CalendarDay[] = []
  for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2027, 0, 1); at += 86_400_000) {
    const date = new Date(at).toISOString().slice(0, 10)
    const [kind, name] = special[date] ?? ['workday', '']
    days.push({ date, kind, works: kind === 'workday' || kind === 'makeup', ...(name && { reason: { zh: name, en: name } }) })
  }
  return { days }
}

describe('the year laid out', () => {
  it('has twelve months that begin on the right weekday', () => {
    const months = months_of(year({}))
    expect(months.map((one) => one.days.length)).toEqual([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    expect(months.map((one) => one.blanks)).toEqual([3, 6, 6, 2, 4, 0, 2, 5, 1, 3, 6, 1]) // 1 January 2026 is a Thursday
  })
  it('joins days that are told alike, and no others', () => {
    const spans = spans_of(year({
      '2026-01-01': ['holiday', 'A'], '2026-01-02': ['holiday', 'A'], '2026-01-03': ['holiday', 'B'], '2026-01-04': ['makeup', 'M'],
      '2026-01-06': ['makeup', 'M'], '2026-03-04': ['window', 'W'], '2026-12-31': ['holiday', 'A'],
    }))
    expect(spans.map((span) => [span_text(span.begins, span.ends), span.day.kind, span.count])).toEqual([
      ['01-01 – 01-02', 'holiday', 2], ['01-03', 'holiday', 1], ['01-04', 'makeup', 1], ['01-06', 'makeup', 1], ['12-31', 'holiday', 1],
    ])
  })
})
