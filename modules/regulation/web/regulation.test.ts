import { describe, expect, it } from 'vitest'
import type { Regulation, RegulationDataset, Rule } from './api'
import { actions_of, changes_of, members_of, nothing_touched, reads, sights_of, with_sights, writes } from './regulation'

const text = (word: string) => ({ zh: word, en: word })
const dataset: RegulationDataset = {
  name: 'student', label: text('student'), module: 'm', academic: true, key: ['number'], relations: ['self'],
  fields: ['number', 'phone', 'id_number'].map((name) => ({ name, label: text(name), level: 2, masks: true })),
}
const rule: Rule = { id: 7, effect: 'permit', post: 'adviser', dataset: 'student', rows: 'class', masked: ['id_number'], clause: '2.2.2' }
const regulation = { settings: [{ name: 'years', value: 2 }], rules: [{ rule, sights: 'ccm' }] } as unknown as Regulation

describe('editing the regulation', () => {
  it('reads and writes sights in the form that the rule has', () => {
    const sights = sights_of(regulation.rules[0]!, dataset)
    expect(sights).toEqual({ number: 'clear', phone: 'clear', id_number: 'masked' })
    expect(with_sights(rule, dataset, sights)).toEqual(rule)
    expect(with_sights(rule, dataset, { ...sights, phone: 'hidden', id_number: 'clear' })).toEqual({
      id: 7,
      effect: 'permit',
      post: 'adviser',
      dataset: 'student',
      rows: 'class',
      clause: '2.2.2',
      hidden: ['phone'],
    })
    const listed: Rule = { ...rule, masked: undefined, clear: ['number'] }
    expect(with_sights(listed, dataset, { number: 'clear', phone: 'clear', id_number: 'hidden' }).clear).toEqual(['number', 'phone'])
    expect(with_sights(listed, dataset, { number: 'hidden', phone: 'hidden', id_number: 'hidden' }).clear).toEqual([])
  })
  it('proposes what was touched and differs, and nothing else', () => {
    const touched = nothing_touched()
    expect(changes_of(regulation, touched)).toEqual([])
    touched.rules.set(7, { ...rule })
    touched.settings.set('years', 2)
    expect(changes_of(regulation, touched)).toEqual([])
    touched.rules.set(7, null)
    touched.rules.set(-1, { ...rule, id: -1, post: 'teacher' })
    touched.rules.set(-2, null)
    touched.settings.set('years', 3)
    expect(changes_of(regulation, touched).map(({ op }) => op)).toEqual(['remove_rule', 'add_rule', 'set_setting'])
    expect(changes_of(regulation, touched)[1]).not.toHaveProperty('rule.id')
  })
  it('proposes posts and powers that differ', () => {
    const post = { name: 'adviser', label: text('adviser'), clause: '2.2.2' }
    const known = {
      ...regulation,
      posts: [post],
      powers: [{ name: 'sight_ask', label: text('ask'), clause: '2.1.1', post: 'adviser' }],
    } as unknown as Regulation
    const touched = nothing_touched()
    touched.posts.set('adviser', { ...post })
    touched.powers.set('sight_ask', ['adviser'])
    expect(changes_of(known, touched)).toEqual([])
    touched.posts.set('adviser', { ...post, label: text('class adviser') })
    touched.powers.set('sight_ask', ['adviser', 'teacher'])
    expect(changes_of(known, touched).map(({ op }) => op)).toEqual(['put_post', 'set_power'])
  })
  it('a rule that names no actions reads, and writes only where it says so', () => {
    expect(reads(rule)).toBe(true)
    expect(writes([rule])).toEqual([])
    const entry: Rule = { ...rule, actions: ['enter'] }
    expect(reads(entry)).toBe(false)
    expect(writes([rule, entry])).toEqual(['enter'])
    expect(actions_of({ ...rule, actions: 'query' })).toEqual(['query'])
  })
  it('names the members that differ', () => {
    expect(members_of({ id: 1, rows: 'a', clause: '1' }, { id: 1, rows: 'b', clause: '1' })).toEqual([{ name: 'rows', before: 'a', after: 'b' }])
    expect(members_of(null, { id: 2, rows: 'b' }).map(({ name }) => name)).toEqual(['rows'])
  })
})
