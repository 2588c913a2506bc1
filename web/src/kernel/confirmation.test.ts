import { describe, expect, it } from 'vitest'
import type { Problem } from '@/api/types'
import { asked, confirmation_ask, confirmation_end } from './confirmation'

const problem = { type: 'identity.confirmation_required', status: 401, title: { zh: '甲', en: 'a' } } as Problem

describe('showing again who one is', () => {
  it('asks once, however many calls wait, and answers them all', async () => {
    const calls = [confirmation_ask(problem), confirmation_ask(problem)]
    expect(asked.value).toEqual(problem)
    confirmation_end(true)
    expect(await Promise.all(calls)).toEqual([true, true])
    expect(asked.value).toBeNull()
  })
  it('asks anew the next time, and tells when it was not shown', async () => {
    const call = confirmation_ask(problem)
    confirmation_end(false)
    expect(await call).toBe(false)
    confirmation_end(true)
    expect(asked.value).toBeNull()
  })
})
