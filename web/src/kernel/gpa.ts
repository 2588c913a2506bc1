// Credit-weighted grade point average over the rows that are shown: Σ credits × points ÷ Σ credits. A row without points
// or credits (not yet graded, pass/fail only) does not count; credits passed count each course once.
import { decimal_add, decimal_divide, decimal_multiply, decimal_of, decimal_text, type Decimal } from './decimal'

export interface Graded {
  term: string
  course: string
  credits: number | null
  points: number | null
  passed: boolean | null
}

export interface Average {
  gpa: string | null // two places
  credits_counted: string
  credits_passed: string
  courses: number
}

const kCreditPlaces = 2
const kPointPlaces = 3

function short(value: Decimal): string {
  const text = decimal_text(value)
  return text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text
}

export function average_of(rows: readonly Graded[]): Average {
  let weighted: Decimal = { units: 0n, places: 0 }
  let counted: Decimal = { units: 0n, places: 0 }
  let passed: Decimal = { units: 0n, places: 0 }
  const passed_courses = new Set<string>()
  for (const row of rows) {
    if (row.credits === null) continue
    const credits = decimal_of(row.credits, kCreditPlaces)
    if (row.points !== null) {
      weighted = decimal_add(weighted, decimal_multiply(credits, decimal_of(row.points, kPointPlaces)))
      counted = decimal_add(counted, credits)
    }
    if (row.passed && !passed_courses.has(row.course)) {
      passed_courses.add(row.course)
      passed = decimal_add(passed, credits)
    }
  }
  const gpa = decimal_divide(weighted, counted, 2)
  return {
    gpa: gpa ? decimal_text(gpa) : null,
    credits_counted: short(counted),
    credits_passed: short(passed),
    courses: new Set(rows.map((row) => row.course)).size,
  }
}

// Newest term first, rows in the order given.
export function by_term<Row extends { term: string }>(rows: readonly Row[]): { term: string; rows: Row[] }[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(row.term)
    if (group) group.push(row)
    else groups.set(row.term, [row])
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? 1 : a > b ? -1 : 0))
    .map(([term, members]) => ({ term, rows: members }))
}
