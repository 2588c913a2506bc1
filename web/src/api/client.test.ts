import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { use_session } from '@/kernel/session'
import { asking, sign_and } from '@/kernel/signing'
import { session_open } from './calls'
import { case_act, case_read } from './cases'
import { on_signed_out } from './client'
import type { Me } from './types'

const refused = (type: string, status: number) => ({ type, status, title: { zh: '没有权限', en: 'not permitted' } })
const ended = vi.fn()

// One answer a call, in this order.
function answers(...all: { type?: string; status?: number }[]) {
  const left = [...all]
  const asked = vi.fn(async (_url: string, _init: { body?: string }) => {
    const next = left.shift()!
    return Response.json(next, { status: next.status ?? 200 })
  })
  vi.stubGlobal('fetch', asked)
  return asked
}

describe('a 401', () => {
  beforeEach(() => {
    setActivePinia(createPinia())
    use_session().me = { factor: { enrolled: true, recovery_left: 8 } } as Me
    ended.mockClear()
    on_signed_out(ended)
  })
  afterEach(() => vi.unstubAllGlobals())

  for (const type of ['identity.code_wrong', 'identity.code_required']) {
    it(`that says ${type} to a signature keeps the session: the code is asked again`, async () => {
      const asked = answers(refused('identity.signature_missing', 403), refused(type, 401), { number: '2026-0001' } as object)
      const done = sign_and('批准', (proof) => case_act('2026-0001', 'approve', { revision: 1, ...proof }))
      await vi.waitFor(() => expect(asking.value?.problem).toBeNull())
      asking.value!.answer('000000')
      await vi.waitFor(() => expect(asking.value?.problem?.type).toBe(type))
      expect(ended).not.toHaveBeenCalled()
      asking.value!.answer('123456')
      expect(await done).toEqual({ number: '2026-0001' })
      expect(asked.mock.calls.map(([, { body }]) => (JSON.parse(body!) as { code?: string }).code)).toEqual([undefined, '000000', '123456'])
      expect(ended).not.toHaveBeenCalled()
    })
  }
  for (const type of ['identity.session_ended', 'identity.suspended']) {
    it(`that says ${type} ends the session, whether one reads or signs`, async () => {
      answers(refused(type, 401), refused(type, 401))
      await expect(case_read('2026-0001')).rejects.toThrow(type)
      expect(ended).toHaveBeenCalledTimes(1)
      await expect(sign_and('批准', (proof) => case_act('2026-0001', 'approve', { revision: 1, ...proof }))).rejects.toThrow(type)
      expect(ended).toHaveBeenCalledTimes(2)
      expect(asking.value).toBeNull()
    })
  }
  it('of a call that needs no session ends none', async () => {
    answers(refused('identity.sign_in_refused', 401))
    await expect(session_open('T1', 'wrong')).rejects.toThrow('identity.sign_in_refused')
    expect(ended).not.toHaveBeenCalled()
  })
})
