// The wire contract of docs/api.md, as types. Names are those of the wire.

export interface Text {
  zh: string
  en: string
}

export interface Basis {
  clause: string
  grant?: string // number of the grant made under it
  text: Text
}

export interface Remedy {
  clause: string
  text: Text
  kind?: string
  prefill?: {
    dataset?: string
    fields?: string[]
    actions?: string[]
    purpose?: string
    [more: string]: unknown
  }
}

export interface Problem {
  type: string
  title: Text
  status: number
  code?: string
  detail?: Text
  fields?: { field: string; code: string; text: Text }[]
  remedy?: Remedy
  request?: string
  record?: string
}

export interface Post {
  name: string
  label: Text
  clause: string
  units: string[] // codes of the units in which it is held
}

export interface Person {
  account: string
  kind: string
  name: string
  number: string
}

export interface DatasetBrief {
  name: string
  label: Text
  basis: Basis[]
  module?: string
  actions?: Action[]
}

export interface Module {
  name: string
  label: Text
  icon?: string
  datasets: DatasetBrief[]
}

export interface Factor {
  enrolled: boolean
  recovery_left: number
  since?: string
}

// What is in force against one's own account.
export interface Restriction {
  step: string
  label: Text
  since: string
  seen: Text[]
  reason: string
  todo: Text
}

export interface Me extends Person {
  posts: Post[]
  due: { kind: string; text: Text }[]
  factor: Factor
  restriction?: Restriction
  modules: Module[]
  store: { made_up: boolean; school: Text }
  now: string
}

export type Action = 'query' | 'detail' | 'statistics' | 'print' | 'export'
export type Sight = 'clear' | 'masked' | 'hidden' | 'varies'
export type FieldType = 'text' | 'int' | 'decimal' | 'date' | 'timestamp' | 'bool' | 'weeks' | 'code' | 'ref'
export type Operator = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'between' | 'in' | 'contains' | 'starts' | 'is_null'

export interface Code {
  code: string
  name: Text
}

export interface Field {
  name: string
  label: Text
  type: FieldType
  places?: number
  level: number
  sight: Sight
  operators: Operator[]
  lookup?: boolean
  required?: boolean
  help?: Text
  example?: string
  codes?: Code[]
  ref?: { dataset: string; label_field?: string; queryable: boolean }
  basis?: Basis[]
  reason?: Text
  remedy?: Remedy
}

export interface Dataset {
  name: string
  label: Text
  module: string
  key: string[]
  order: string[]
  show: string[]
  about?: string | null
  purposes: string[]
  actions: Action[]
  basis: Basis[]
  fields: Field[]
}

export type Value = string | number | boolean | null
export type Leaf = { field: string; op: Operator; value: Value | Value[] }
export type Where = Leaf | { all: Where[] } | { any: Where[] } | { not: Where }

export type Fn =
  | 'count' | 'count_distinct' | 'sum' | 'avg' | 'min' | 'max' | 'share' | 'median' | 'stddev' | 'histogram'

export interface Measure {
  fn: Fn
  field?: string
  as?: string
  places?: number
  width?: number
  where?: Where
}

export interface Order {
  field: string
  desc?: boolean
}

export interface Query {
  dataset: string
  fields?: string[]
  where?: Where
  order?: Order[]
  limit?: number
  after?: string | null
  purpose?: string
  group?: string[]
  measures?: Measure[]
}

export interface Column {
  name: string
  label: Text
  type: FieldType
  places?: number
  level?: number
}

export interface HiddenField {
  sight: Sight
  reason?: Text
  remedy?: Remedy
}

export interface Answer {
  columns: Column[]
  rows: Value[][]
  hidden?: {
    fields?: Record<string, HiddenField>
    cells?: [number, number, 'masked' | 'hidden'][]
  }
  next?: string | null
  scope: { text: Text; basis: Basis[] }
  record?: string
}

export interface Document {
  number: string
  link: string
  code: string
  rows: number
  record: string
}

export interface Verified {
  number: string
  kind: string
  title: string
  sha256: string
  made: string
  expires?: string
  state: 'valid' | 'expired' | 'replaced' | 'revoked'
  replaced_by?: string
  record?: string
}

export interface CalendarDay {
  date: string
  kind: 'workday' | 'makeup' | 'weekend' | 'holiday' | 'window'
  works: boolean
  reason?: Text
}

export interface CalendarYear {
  version: number
  year: number
  today: string
  first_year: number
  last_year: number
  provisional: boolean
  imported: boolean
  notice: string
  issued: string
  source: string
  working_days: number
  days: CalendarDay[]
  windows: { id: number; begins: string; ends: string; reason: Text; over: boolean }[]
  may_change: boolean
}

export interface Session {
  token?: string
  expires: string
  person: Person
  must_change_password?: boolean
}
