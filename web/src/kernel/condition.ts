// The condition builder's own model and its translation to and from the wire (docs/api.md, Query). One level of groups.
import type { Field, Leaf, Operator, Value, Where } from '@/api/types'

export interface LeafItem {
  kind: 'leaf'
  id: number
  not: boolean
  field: string
  op: Operator
  value: Value | Value[]
}

export interface GroupItem {
  kind: 'group'
  id: number
  not: boolean
  join: 'all' | 'any'
  items: LeafItem[]
}

export type Item = LeafItem | GroupItem

export interface Conditions {
  join: 'all' | 'any'
  items: Item[]
}

let last_id = 0
const next_id = () => ++last_id

export function leaf_new(field?: Pick<Field, 'name' | 'operators' | 'type'>): LeafItem {
  const op = field ? usual_operator(field) : 'eq'
  return { kind: 'leaf', id: next_id(), not: false, field: field?.name ?? '', op, value: value_empty(op) }
}

export function group_new(items: LeafItem[]): GroupItem {
  return { kind: 'group', id: next_id(), not: false, join: 'any', items }
}

// What people mean when they just type: text contains, the rest equals.
export function usual_operator(field: Pick<Field, 'operators' | 'type'>): Operator {
  const wish: Operator[] = field.type === 'text' ? ['contains', 'starts', 'eq'] : ['eq', 'contains', 'between']
  return wish.find((op) => field.operators.includes(op)) ?? field.operators[0] ?? 'eq'
}

export function value_empty(op: Operator): Value | Value[] {
  if (op === 'between') return [null, null]
  if (op === 'in') return []
  if (op === 'is_null') return true
  return null
}

// A value kept over a change of operator where it still means something.
export function value_for(op: Operator, old: Value | Value[]): Value | Value[] {
  const single = Array.isArray(old) ? (old[0] ?? null) : old
  if (op === 'is_null') return typeof single === 'boolean' ? single : true
  if (op === 'between') return Array.isArray(old) && old.length === 2 ? old : [single, null]
  if (op === 'in') return Array.isArray(old) ? old.filter((value) => !blank(value)) : blank(single) ? [] : [single]
  return typeof single === 'boolean' && op !== 'eq' && op !== 'ne' ? null : single
}

const blank = (value: Value | undefined) => value === null || value === undefined || value === ''

// A condition left empty does not count; §3.1.3 forms may stay half filled.
export function leaf_filled(leaf: LeafItem): boolean {
  if (!leaf.field) return false
  if (leaf.op === 'is_null') return true
  if (Array.isArray(leaf.value)) {
    return leaf.op === 'between'
      ? leaf.value.length === 2 && !leaf.value.every(blank)
      : leaf.value.some((value) => !blank(value))
  }
  return !blank(leaf.value)
}

function leaf_wire(leaf: LeafItem): Where {
  let wire: Leaf = { field: leaf.field, op: leaf.op, value: leaf.value }
  if (leaf.op === 'between' && Array.isArray(leaf.value)) {
    const [from, to] = leaf.value
    if (blank(from)) wire = { field: leaf.field, op: 'le', value: to as Value }
    else if (blank(to)) wire = { field: leaf.field, op: 'ge', value: from as Value }
  }
  return leaf.not ? { not: wire } : wire
}

export function conditions_wire(conditions: Conditions): Where | undefined {
  const parts: Where[] = []
  for (const item of conditions.items) {
    if (item.kind === 'leaf') {
      if (leaf_filled(item)) parts.push(leaf_wire(item))
      continue
    }
    const inner = item.items.filter(leaf_filled).map(leaf_wire)
    if (!inner.length) continue
    const group: Where = item.join === 'all' ? { all: inner } : { any: inner }
    parts.push(item.not ? { not: group } : group)
  }
  if (!parts.length) return undefined
  if (parts.length === 1) return parts[0]
  return conditions.join === 'all' ? { all: parts } : { any: parts }
}

function leaf_read(where: Where, not = false): LeafItem | null {
  if ('not' in where) return not ? null : leaf_read(where.not, true)
  if ('all' in where || 'any' in where || 'is' in where) return null
  return { kind: 'leaf', id: next_id(), not, field: where.field, op: where.op, value: where.value }
}

function group_read(where: Where, not = false): GroupItem | null {
  if ('not' in where) return not ? null : group_read(where.not, true)
  const members = 'all' in where ? where.all : 'any' in where ? where.any : null
  if (!members) return null
  const items = members.map((member) => leaf_read(member))
  if (items.some((item) => item === null)) return null
  return { kind: 'group', id: next_id(), not, join: 'all' in where ? 'all' : 'any', items: items as LeafItem[] }
}

// null: deeper than this builder shows (such a query can still be run as it stands).
export function conditions_read(where: Where | undefined): Conditions | null {
  if (!where) return { join: 'all', items: [] }
  const single = leaf_read(where)
  if (single) return { join: 'all', items: [single] }
  const members = 'all' in where ? where.all : 'any' in where ? where.any : [where]
  const items = members.map((member): Item | null => leaf_read(member) ?? group_read(member))
  if (items.some((item) => item === null)) return null
  return { join: 'any' in where ? 'any' : 'all', items: items as Item[] }
}

// The leaf a server's fault path such as "where.all[1].any[0].value" speaks of; null when it speaks of something else.
export function leaf_at(conditions: Conditions, path: string): LeafItem | null {
  if (!path.startsWith('where')) return null
  const indexes = [...path.matchAll(/\.(?:all|any)\[(\d+)\]/g)].map((match) => Number(match[1]))
  const filled = conditions.items.filter((item) => (item.kind === 'leaf' ? leaf_filled(item) : item.items.some(leaf_filled)))
  const item = filled.length === 1 ? filled[0] : filled[indexes.shift() ?? -1]
  if (!item) return null
  if (item.kind === 'leaf') return item
  return item.items.filter(leaf_filled)[indexes.shift() ?? -1] ?? null
}
