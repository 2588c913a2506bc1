// The days of a year as the server tells them, laid out in months and spans. Which day works is the server's word.
import type { CalendarDay, CalendarYear } from '@/api/types'
import { weekday_of } from '@/kernel/days'

export interface Month {
  month: number // 1 … 12
  blanks: number // empty cells before the first, weeks beginning on Monday
  days: CalendarDay[]
}

export interface Span {
  begins: string
  ends: string
  day: CalendarDay // the first; the others are told alike
  count: number
}

export function months_of(year: Pick<CalendarYear, 'days'>): Month[] {
  const months: Month[] = []
  for (const day of year.days) {
    const month = Number(day.date.slice(5, 7))
    if (months.at(-1)?.month !== month) months.push({ month, blanks: weekday_of(day.date) - 1, days: [] })
    months.at(-1)!.days.push(day)
  }
  return months
}

// Days on which the week does not hold, windows apart: what follows without a gap and is told alike is one span.
export function spans_of(year: Pick<CalendarYear, 'days'>): Span[] {
  const spans: Span[] = []
  let before = ''
  for (const day of year.days) {
    const told = day.kind === 'holiday' || day.kind === 'makeup' ? `${day.kind} ${day.reason?.zh} ${day.reason?.en}` : ''
    const last = spans.at(-1)
    if (told && told === before && last) {
      last.ends = day.date
      last.count += 1
    } else if (told) {
      spans.push({ begins: day.date, ends: day.date, day, count: 1 })
    }
    before = told
  }
  return spans
}

// "02-15" or "02-15 – 02-23".
export const span_text = (begins: string, ends: string) => (begins === ends ? begins.slice(5) : `${begins.slice(5)} – ${ends.slice(5)}`)
