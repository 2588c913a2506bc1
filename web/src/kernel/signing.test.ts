import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { Refusal } from '@/api/client'
import type { Me } from '@/api/types'
import { use_session } from './session'
import { asking, sign_and, type Proof } from './signing'

const refusal = (type: string) => new Refusal({ type, status: 403, title: { zh: '没有权限', en: 'not permitted' } })
const turn = () => new Promise((done) => setTimeout(done))
const enrolled = (is: boolean) => {
  use_session().me = { factor: { enrolled: is, recovery_left: 0 } } as Me
}

describe('signing', () => {
  beforeEach(() => setActivePinia(createPinia()))
  it('asks for nothing while the signature holds', async () => {
    expect(await sign_and('批准', async (proof) => proof)).toEqual({})
    expect(asking.value).toBeNull()
  })
  for (const [member, is, wrong] of [['password', false, 'identity.password_wrong'], ['code', true, 'identity.code_wrong']] as const) {
    it(`asks for the ${member} once, again after a wrong one, and closes when it is right`, async () => {
      enrolled(is)
      const sent: Proof[] = []
      const done = sign_and('批准', async (proof) => {
        sent.push(proof)
        if (!proof[member]) throw refusal(is ? 'identity.signature_missing' : 'case.signature_missing')
        if (proof[member] === 'wrong') throw refusal(wrong)
        return 'done'
      })
      await turn()
      expect(asking.value?.problem).toBeNull()
      asking.value!.answer('wrong')
      await turn()
      expect(asking.value?.problem?.type).toBe(wrong)
      asking.value!.answer('right')
      expect(await done).toBe('done')
      expect(sent).toEqual([{}, { [member]: 'wrong' }, { [member]: 'right' }])
      expect(asking.value).toBeNull()
    })
  }
  it('is nothing when the person changes their mind', async () => {
    const done = sign_and('批准', async () => { throw refusal('case.signature_missing') })
    await turn()
    asking.value!.answer(null)
    expect(await done).toBeNull()
    expect(asking.value).toBeNull()
  })
  it('leaves a wrong password that the page itself took to the page, and asks for the code that is owed', async () => {
    enrolled(true)
    await expect(sign_and('修改', async () => { throw refusal('identity.password_wrong') })).rejects.toThrow(Refusal)
    expect(asking.value).toBeNull()
    const done = sign_and('修改', async (proof) => {
      if (!proof.code) throw refusal('identity.code_required')
      return proof.code
    })
    await turn()
    expect(asking.value?.problem).toBeNull()
    asking.value!.answer('123456')
    expect(await done).toBe('123456')
  })
  it('leaves other refusals to the page', async () => {
    await expect(sign_and('批准', async () => { throw refusal('case.moved') })).rejects.toThrow(Refusal)
    expect(asking.value).toBeNull()
  })
})
