// A cell as text: the code's name, the decimal with its places, the date as written. Never a rule, only dress.
import type { Column, Field, Value } from '@/api/types'
import { say, t } from './i18n'

export function cell_text(value: Value | undefined, column: Pick<Column, 'type' | 'places'>, field?: Pick<Field, 'codes'>): string {
  if (value === null || value === undefined) return ''
  switch (column.type) {
    case 'bool':
      return value ? t('value.yes') : t('value.no')
    case 'decimal':
      return typeof value === 'number' && column.places !== undefined ? value.toFixed(column.places) : String(value)
    case 'timestamp':
      return timestamp_text(String(value))
    case 'code': {
      const code = field?.codes?.find((candidate) => candidate.code === value)
      return code ? say(code.name) : String(value)
    }
    default:
      return String(value)
  }
}

// "2026-11-23T15:10:00+08:00" → "2026-11-23 15:10", in the offset the server wrote.
export function timestamp_text(value: string): string {
  const match = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2})/.exec(value)
  return match ? `${match[1]} ${match[2]}` : value
}

export function is_numeric(column: Pick<Column, 'type'>): boolean {
  return column.type === 'int' || column.type === 'decimal'
}
