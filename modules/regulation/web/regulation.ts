// Editing a copy of the regulation's rows before anything is asked: what was touched, and the changes to propose. What a
// rule means, and whether it may be, is the server's word.
import type { Change, Regulation, RegulationDataset, RegulationPost, Rule, RuleShown, Sight } from './api'

const kReading = ['query', 'detail', 'statistics', 'print', 'export']
const kWriting = ['enter', 'review']
export const kActions = [...kReading, ...kWriting]
const kSights: Record<string, Sight> = { c: 'clear', m: 'masked', h: 'hidden' }

export const list_of = (value: string[] | string | undefined): string[] => (value === undefined ? [] : typeof value === 'string' ? [value] : value)

// A rule that names no actions opens those that read.
export const actions_of = (rule: Rule): string[] => (rule.actions === undefined ? kReading : list_of(rule.actions))
export const reads = (rule: Rule): boolean => actions_of(rule).some((name) => kReading.includes(name))
export const writes = (rules: Rule[]): string[] =>
  kWriting.filter((name) => rules.some((rule) => rule.effect === 'permit' && actions_of(rule).includes(name)))

export function rules_at(regulation: Regulation, post: string, dataset: string): RuleShown[] {
  return regulation.rules.filter(({ rule }) => rule.post === post && rule.dataset === dataset)
}

// Fields by sight, as the server told.
export function sights_of(shown: RuleShown, dataset: RegulationDataset): Record<string, Sight> {
  return Object.fromEntries(dataset.fields.map((field, at) => [field.name, kSights[shown.sights?.[at] ?? 'h'] ?? 'hidden']))
}

// The rule with these sights, in the form that it has: a list of what is clear, or of what is not.
export function with_sights(rule: Rule, dataset: RegulationDataset, sights: Record<string, Sight>): Rule {
  const of = (sight: Sight) => dataset.fields.filter((field) => sights[field.name] === sight).map((field) => field.name)
  const { clear, masked: _masked, hidden: _hidden, ...rest } = rule
  const named = clear !== undefined && !list_of(clear).includes('*')
  const out: Rule = { ...rest }
  if (named) out.clear = of('clear')
  const masked = of('masked')
  const hidden = of('hidden')
  if (masked.length) out.masked = masked
  if (!named && hidden.length) out.hidden = hidden
  return out
}

// What a person touched: rules by id (null: removed), new rules under negative ids, settings by name.
export interface Touched {
  rules: Map<number, Rule | null>
  settings: Map<string, number>
  posts: Map<string, RegulationPost>
  powers: Map<string, string[]>
}

export const nothing_touched = (): Touched => ({ rules: new Map(), settings: new Map(), posts: new Map(), powers: new Map() })
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)

export function changes_of(regulation: Regulation, touched: Touched): Change[] {
  const changes: Change[] = []
  for (const [id, rule] of touched.rules) {
    if (id < 0) {
      if (rule) {
        const { id: _id, ...fresh } = rule
        changes.push({ op: 'add_rule', rule: fresh })
      }
      continue
    }
    const known = regulation.rules.find((one) => one.rule.id === id)
    if (rule === null) changes.push({ op: 'remove_rule', id })
    else if (known && !same(known.rule, rule)) changes.push({ op: 'put_rule', id, rule })
  }
  for (const [name, value] of touched.settings) {
    if (regulation.settings.find((one) => one.name === name)?.value !== value) changes.push({ op: 'set_setting', name, value })
  }
  for (const [name, post] of touched.posts) {
    if (!same(regulation.posts.find((one) => one.name === name), post)) changes.push({ op: 'put_post', post })
  }
  for (const [name, post] of touched.powers) {
    if (!same(list_of(regulation.powers.find((one) => one.name === name)?.post), post)) changes.push({ op: 'set_power', name, post })
  }
  return changes
}

// Members of a row that differ, each as it was and as it would be.
export function members_of(before: Record<string, unknown> | null, after: Record<string, unknown> | null) {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
  return names.filter((name) => name !== 'id' && !same(before?.[name], after?.[name])).map((name) => ({ name, before: before?.[name], after: after?.[name] }))
}
