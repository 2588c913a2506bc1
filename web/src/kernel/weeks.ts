// Teaching weeks and the timetable grid. A set of weeks is written "1-8,10,12" (weeks 1 to 60).
import { day_number, day_text, weekday_of } from './days'

const kWeekMax = 60

export function weeks_parse(text: string | null | undefined): Set<number> {
  const weeks = new Set<number>()
  for (const part of (text ?? '').split(',')) {
    const match = /^\s*(\d+)(?:\s*-\s*(\d+))?\s*$/.exec(part)
    if (!match) continue
    const from = Number(match[1])
    const to = Math.min(match[2] ? Number(match[2]) : from, kWeekMax)
    for (let week = Math.max(from, 1); week <= to; ++week) weeks.add(week)
  }
  return weeks
}

export function weeks_text(weeks: Iterable<number>): string {
  const sorted = [...new Set(weeks)].sort((a, b) => a - b)
  const parts: string[] = []
  for (let i = 0; i < sorted.length; ) {
    let j = i
    while (j + 1 < sorted.length && sorted[j + 1] === sorted[j]! + 1) ++j
    parts.push(i === j ? `${sorted[i]}` : `${sorted[i]}-${sorted[j]}`)
    i = j + 1
  }
  return parts.join(',')
}

const monday_of = (date: string) => day_number(date) - weekday_of(date) + 1

// Week of term in which `today` lies: week 1 is the week (Monday to Sunday) of the first day. May be < 1 or past the end.
export function week_of(first_day: string, today: string): number {
  return Math.floor((day_number(today) - monday_of(first_day)) / 7) + 1
}

// The date of a weekday of a week of term, "2026-11-23".
export function date_in_week(first_day: string, week: number, weekday: number): string {
  return day_text(monday_of(first_day) + (week - 1) * 7 + weekday - 1)
}

export interface Meeting {
  id: string
  section: string
  course: string
  weekday: number
  from: number
  to: number
  weeks: Set<number>
  weeks_text: string
  room: string
  teacher: string
}

// A meeting placed on the grid: `lane` of `lanes` when several overlap on the same day.
export interface Placed extends Meeting {
  lane: number
  lanes: number
}

export function meetings_in_week(meetings: readonly Meeting[], week: number): Meeting[] {
  return meetings.filter((meeting) => meeting.weeks.has(week))
}

export function place_day(meetings: readonly Meeting[]): Placed[] {
  const sorted = [...meetings].sort((a, b) => a.from - b.from || b.to - a.to)
  const placed: Placed[] = []
  let cluster: Placed[] = []
  let cluster_end = 0
  const close = () => {
    const lanes = Math.max(0, ...cluster.map((meeting) => meeting.lane + 1))
    for (const meeting of cluster) meeting.lanes = lanes
    cluster = []
  }
  for (const meeting of sorted) {
    if (cluster.length && meeting.from > cluster_end) close()
    const taken = new Set(cluster.filter((other) => other.to >= meeting.from).map((other) => other.lane))
    let lane = 0
    while (taken.has(lane)) ++lane
    const item: Placed = { ...meeting, lane, lanes: 1 }
    cluster_end = cluster.length ? Math.max(cluster_end, meeting.to) : meeting.to
    cluster.push(item)
    placed.push(item)
  }
  close()
  return placed
}
