// Days of the calendar, written "2026-11-23" or as an RFC 3339 instant, whose day is that of its own offset.
const kDayMs = 86_400_000

export const day_number = (date: string) => Date.parse(`${date.slice(0, 10)}T00:00:00Z`) / kDayMs
export const day_text = (number: number) => new Date(number * kDayMs).toISOString().slice(0, 10)

// Monday 1 … Sunday 7.
export const weekday_of = (date: string) => ((day_number(date) + 3) % 7) + 1
