import { describe, expect, it } from 'vitest'
import { clauses } from './clauses'
import { en } from './en'
import { zh } from './zh'

type Dictionary = Record<string, string>
const modules = (lang: 'zh' | 'en') =>
  Object.entries(
    lang === 'zh'
      ? import.meta.glob<Dictionary>('../../../modules/*/web/zh.ts', { eager: true, import: 'zh' })
      : import.meta.glob<Dictionary>('../../../modules/*/web/en.ts', { eager: true, import: 'en' }),
  ).map(([path, words]): [string, Dictionary] => [path.slice(0, -'/zh.ts'.length), words])
const zh_all: [string, Dictionary][] = [['shell', zh], ...modules('zh')]
const en_all = new Map<string, Dictionary>([['shell', en], ...modules('en')])

const sources = Object.entries(
  import.meta.glob<string>(['../**/*.{vue,ts}', '../../../modules/*/web/**/*.{vue,ts}'], { eager: true, query: '?raw', import: 'default' }),
).filter(([path]) => !path.endsWith('.test.ts') && !/\/(zh|en|clauses)\.ts$/.test(path))
const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map((match) => match[0]).sort()

describe('texts in two languages', () => {
  it('have the same keys, all filled, with the same holes, in the shell and in each module', () => {
    expect(zh_all.length).toBeGreaterThan(1)
    for (const [where, chinese] of zh_all) {
      const english = en_all.get(where) ?? {}
      expect(Object.keys(english), where).toEqual(Object.keys(chinese))
      for (const [key, text] of Object.entries(chinese)) {
        expect(text.trim(), key).not.toBe('')
        expect(english[key]!.trim(), key).not.toBe('')
        expect(holes(english[key]!), key).toEqual(holes(text))
      }
    }
  })
  it('have each key once: a module does not take the word of another', () => {
    const keys = zh_all.flatMap(([, words]) => Object.keys(words))
    expect(keys.filter((key, at) => keys.indexOf(key) !== at)).toEqual([])
  })
  it('leave no Chinese in the English ones but the name of the language', () => {
    const words = [...en_all.values()].flatMap((one) => Object.entries(one))
    expect(words.filter(([key, text]) => key !== 'me.language' && /[一-鿿]/.test(text))).toEqual([])
  })
  it('name every clause in both', () => {
    for (const [clause, text] of Object.entries(clauses)) {
      expect(clause).toMatch(/^[1-6]\.\d\.\d$/)
      expect(text.zh && text.en, clause).toBeTruthy()
    }
  })
  it('are the only texts: pages hold no Chinese of their own', () => {
    const allowed = /'中文'|瓷青|（\{\{|）/
    expect(sources.some(([path]) => path.includes('/modules/'))).toBe(true)
    for (const [path, source] of sources) {
      for (const line of source.split('\n')) {
        if (/^\s*(\/\/|\/\*|<!--|\*)/.test(line) || /zh: ['"`]/.test(line) || allowed.test(line)) continue
        expect(line, path).not.toMatch(/[一-鿿]/)
      }
    }
  })
  it('are all used: no word is left behind by a page that went', () => {
    const text = sources.map(([, source]) => source).join('\n')
    // Put together at run time: `kind.${one}`, `day.${next.day}`; and the words of a record, `${name}.${text}` in ProvePage.
    const heads = ['decision.', ...[...text.matchAll(/`((?:[a-z_]+\.)+[a-z_]*)\$\{/g)].map((match) => match[1]!)]
    const unused = zh_all.flatMap(([, words]) => Object.keys(words)).filter((key) => !text.includes(`'${key}'`) && !heads.some((head) => key.startsWith(head)))
    expect(unused).toEqual([])
  })
})
