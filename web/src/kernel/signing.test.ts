import { describe, expect, it } from 'vitest'
import { Refusal } from '@/api/client'
import { asking, sign_and } from './signing'

const refusal = (type: string) => new Refusal({ type, status: 403, title: { zh: '没有权限', en: 'not permitted' } })
const turn = () => new Promise((done) => setTimeout(done))

describe('signing', () => {
  it('asks for nothing while the signature holds', async () => {
    expect(await sign_and('批准', async (password) => password ?? 'none')).toBe('none')
    expect(asking.value).toBeNull()
  })
  it('asks once, again after a wrong password, and closes when it is right', async () => {
    const sent: (string | undefined)[] = []
    const done = sign_and('批准', async (password) => {
      sent.push(password)
      if (!password) throw refusal('case.signature_missing')
      if (password === 'wrong') throw refusal('identity.password_wrong')
      return 'done'
    })
    await turn()
    expect(asking.value?.problem).toBeNull()
    asking.value!.answer('wrong')
    await turn()
    expect(asking.value?.problem?.type).toBe('identity.password_wrong')
    asking.value!.answer('right')
    expect(await done).toBe('done')
    expect(sent).toEqual([undefined, 'wrong', 'right'])
    expect(asking.value).toBeNull()
  })
  it('is nothing when the person changes their mind', async () => {
    const done = sign_and('批准', async () => { throw refusal('case.signature_missing') })
    await turn()
    asking.value!.answer(null)
    expect(await done).toBeNull()
    expect(asking.value).toBeNull()
  })
  it('leaves other refusals to the page', async () => {
    await expect(sign_and('批准', async () => { throw refusal('case.moved') })).rejects.toThrow(Refusal)
    expect(asking.value).toBeNull()
  })
})
