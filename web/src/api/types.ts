// Names of the wire contract (docs/api.md) as the pages use them; the types themselves are made from the server's description
// (generated.ts, ./dev api).
import type { components } from './generated'

export type Schemas = components['schemas']

export type Text = Schemas['Text']
export type Named = Schemas['Named']
export type Basis = Schemas['Basis']
export type Remedy = Schemas['Remedy']
// What stops a call before it reaches the server has no request there.
export type Problem = Omit<Schemas['Problem'], 'code' | 'detail' | 'request'> & Partial<Pick<Schemas['Problem'], 'code' | 'detail' | 'request'>>

export type Me = Schemas['Me']
export type Post = Schemas['Post']
export type Session = Schemas['Session']
export type Factor = Schemas['Factor']
export type Restriction = Schemas['Restriction']
export type Module = Schemas['Module']

export type Action = Schemas['Action']
export type Sight = Schemas['Sight']
export type Operator = Schemas['Operator']
export type Code = Schemas['Code']
// As a control needs it: what the pages make up for a form of theirs carries less than what a dataset tells.
export type Field = Omit<Schemas['Field'], 'ref' | 'lookup' | 'required'> &
  Partial<Pick<Schemas['Field'], 'lookup' | 'required'>> & { ref?: Partial<Schemas['Reference']> & Pick<Schemas['Reference'], 'dataset' | 'queryable'> }
export type Dataset = Schemas['Dataset']
export type Value = Schemas['Value']
export type Leaf = Schemas['Leaf']
export type Where = Schemas['Condition']
export type Measure = Schemas['Measure']
export type Fn = Measure['fn']
export type Order = Schemas['Order']
// A school may have datasets that the description, made from the catalogue delivered, does not name.
export type Query = Omit<Schemas['Query'], 'dataset'> & { dataset: string }
export type Column = Schemas['Column']
export type Answer = Schemas['Answer']

export type Document = Schemas['Document']
export type Verified = Schemas['Paper']
export type CalendarDay = Schemas['CalendarDay']
export type CalendarYear = Schemas['CalendarYear']
