import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { clauses } from './clauses'
import { en } from './en'
import { zh } from './zh'

const holes = (text: string) => [...text.matchAll(/\{\w+\}/g)].map((match) => match[0]).sort()

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) return sources(path)
    return /\.(vue|ts)$/.test(name) && !name.endsWith('.test.ts') && !path.includes('locales') ? [readFileSync(path, 'utf8')] : []
  })
}

describe('texts in two languages', () => {
  it('have the same keys, all filled, with the same holes', () => {
    expect(Object.keys(en)).toEqual(Object.keys(zh))
    for (const key of Object.keys(zh) as (keyof typeof zh)[]) {
      expect(zh[key].trim(), key).not.toBe('')
      expect(en[key].trim(), key).not.toBe('')
      expect(holes(en[key]), key).toEqual(holes(zh[key]))
    }
  })
  it('leave no Chinese in the English ones but the name of the language', () => {
    const chinese = Object.entries(en).filter(([key, text]) => key !== 'me.language' && /[一-鿿]/.test(text))
    expect(chinese).toEqual([])
  })
  it('name every clause in both', () => {
    for (const [clause, text] of Object.entries(clauses)) {
      expect(clause).toMatch(/^[1-6]\.\d\.\d$/)
      expect(text.zh && text.en, clause).toBeTruthy()
    }
  })
  it('are the only texts: pages hold no Chinese of their own', () => {
    const allowed = /'中文'|瓷青|（\{\{|）/
    for (const source of sources(join(process.cwd(), 'src'))) {
      for (const line of source.split('\n')) {
        if (/^\s*(\/\/|\/\*|<!--|\*)/.test(line) || /zh: ['"`]/.test(line) || allowed.test(line)) continue
        expect(line).not.toMatch(/[一-鿿]/)
      }
    }
  })
})
