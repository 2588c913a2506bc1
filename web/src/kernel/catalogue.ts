// Descriptions of datasets, asked once a session, and rows by column name for the pages designed by hand.
import { dataset_read, query_run } from '@/api/calls'
import type { Answer, Dataset, Field, Order, Value, Where } from '@/api/types'
import { kept } from './kept'

export const dataset_of = kept(dataset_read)

export type Row = Record<string, Value>

export interface Rows {
  dataset: Dataset
  answer: Answer
  rows: Row[]
}

export function rows_by_name(answer: Answer): Row[] {
  return answer.rows.map((cells) => Object.fromEntries(answer.columns.map((column, i) => [column.name, cells[i] ?? null])))
}

export function field_of(dataset: Dataset, name: string): Field | undefined {
  return dataset.fields.find((field) => field.name === name)
}

// The wanted fields of a dataset that exist and are not closed. A page asks only for what it shows.
export async function rows_read(
  name: string,
  options: { fields?: string[]; where?: Where; order?: Order[]; limit?: number; purpose?: string } = {},
): Promise<Rows> {
  const dataset = await dataset_of(name)
  const visible = new Set(dataset.fields.filter((field) => field.sight !== 'hidden').map((field) => field.name))
  const answer = await query_run({
    dataset: name,
    fields: options.fields?.filter((field) => visible.has(field)),
    where: options.where,
    order: options.order?.filter((order) => visible.has(order.field)),
    limit: options.limit ?? 200,
    purpose: options.purpose,
  })
  return { dataset, answer, rows: rows_by_name(answer) }
}

export const all_of = (...parts: (Where | undefined | false)[]): Where | undefined => {
  const kept_parts = parts.filter((part): part is Where => Boolean(part))
  return kept_parts.length > 1 ? { all: kept_parts } : kept_parts[0]
}
