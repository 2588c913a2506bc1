import { beforeEach, describe, expect, it, vi } from 'vitest'
import { notices_unread } from '@/api/calls'
import { about_of, unread, unread_is, unread_refresh } from './notices'

vi.mock('@/api/calls', () => ({ notices_unread: vi.fn() }))
const ask = vi.mocked(notices_unread)

describe('the number of the bell', () => {
  beforeEach(() => unread_is(3))
  it('is what the server says, and stays when the server says nothing', async () => {
    ask.mockResolvedValueOnce({ unread: 5 })
    await unread_refresh()
    expect(unread.value).toBe(5)
    ask.mockRejectedValueOnce(new Error('away'))
    await unread_refresh()
    expect(unread.value).toBe(5)
  })
  it('is not put back by an answer that is older than an act', async () => {
    let answer: (got: { unread: number }) => void = () => {}
    ask.mockReturnValueOnce(new Promise((done) => { answer = done }))
    const asked = unread_refresh()
    unread_is(0)
    answer({ unread: 3 })
    await asked
    expect(unread.value).toBe(0)
  })
})

describe('what a notice is about', () => {
  it('is a thing of a sort by its number', () => {
    expect(about_of('case:2026-0017')).toEqual({ sort: 'case', number: '2026-0017' })
    for (const none of ['', 'case:', 'case:../me', 'x case:1', 'case:1/2']) expect(about_of(none)).toBeNull()
  })
})
