// The state of the query page. It lives in the history entry, not in the address: conditions may name persons, and
// addresses end up in logs and bars. A link made on purpose carries it behind '#', which browsers keep to themselves.
import type { Order, Where } from '@/api/types'

export interface QueryState {
  where?: Where
  order: Order[]
  columns: string[] | null // null: the usual columns of the dataset
  limit: number
  purpose: string
  tab: 'list' | 'statistics'
  pages: (string | null)[] // tokens of the pages gone through, the shown one last
  ran: boolean
}

export const kPageSizes = [20, 50, 100, 200]

export function state_new(): QueryState {
  return { order: [], columns: null, limit: 50, purpose: '', tab: 'list', pages: [null], ran: false }
}

const base64url = {
  write: (text: string) =>
    btoa(String.fromCharCode(...new TextEncoder().encode(text))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
  read: (text: string) =>
    new TextDecoder().decode(Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0))),
}

// Page tokens are bound to a person and left out of a link.
export function state_link(state: QueryState): string {
  const { where, order, columns, limit, purpose, tab } = state
  return `#q=${base64url.write(JSON.stringify({ where, order, columns, limit, purpose, tab }))}`
}

export function state_from_link(hash: string): QueryState | null {
  if (!hash.startsWith('#q=')) return null
  try {
    return state_checked(JSON.parse(base64url.read(hash.slice(3))), true)
  } catch {
    return null
  }
}

const is_record = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

// Whatever comes from a link or an old history entry is taken field by field; the server judges its meaning.
export function state_checked(raw: unknown, ran: boolean): QueryState | null {
  if (!is_record(raw)) return null
  const state = state_new()
  if (is_record(raw.where)) state.where = raw.where as unknown as Where
  if (Array.isArray(raw.order)) {
    state.order = raw.order.filter((one): one is Order => is_record(one) && typeof one.field === 'string')
  }
  if (Array.isArray(raw.columns)) state.columns = raw.columns.filter((one): one is string => typeof one === 'string')
  if (typeof raw.limit === 'number' && kPageSizes.includes(raw.limit)) state.limit = raw.limit
  if (typeof raw.purpose === 'string') state.purpose = raw.purpose
  if (raw.tab === 'statistics') state.tab = 'statistics'
  if (Array.isArray(raw.pages) && raw.pages.length) {
    state.pages = raw.pages.filter((one): one is string | null => one === null || typeof one === 'string')
  }
  state.ran = ran || raw.ran === true
  return state
}
