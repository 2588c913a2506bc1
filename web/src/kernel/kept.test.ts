import { describe, expect, it, vi } from 'vitest'
import { kept, kept_forget } from './kept'

describe('an answer that is kept', () => {
  it('is asked once for each key, also by two at once, until it is forgotten', async () => {
    const ask = vi.fn(async (key: string) => `${key}!`)
    const read = kept(ask)
    expect(await Promise.all([read('a'), read('a'), read('b')])).toEqual(['a!', 'a!', 'b!'])
    expect(ask).toHaveBeenCalledTimes(2)
    kept_forget()
    await read('a')
    expect(ask).toHaveBeenCalledTimes(3)
  })
  it('is asked again when it could not be had', async () => {
    const ask = vi.fn<(key: string) => Promise<string>>().mockRejectedValueOnce(new Error('away')).mockResolvedValueOnce('here')
    const read = kept(ask)
    await expect(read('a')).rejects.toThrow('away')
    expect(await read('a')).toBe('here')
  })
})
