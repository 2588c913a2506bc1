// Signing (docs/api.md): whoever acts shows again who it is, by the code of the second factor where one is enrolled, else by the
// password. It holds for some minutes of the session, so a step is sent without it first; only when the server asks for it the
// dialog opens, once, and the step is sent again.
import { shallowRef } from 'vue'
import { Refusal } from '@/api/client'
import type { Problem, Schemas } from '@/api/types'
import { use_session } from './session'

export type Proof = Schemas['Signature']

export const by_code = (): boolean => use_session().me?.factor.enrolled ?? false
const proof_of = (given: string): Proof => (by_code() ? { code: given } : { password: given })

export interface Asking {
  what: string // the step, as its button says it
  problem: Problem | null // of what was given before
  answer: (given: string | null) => void
}
export const asking = shallowRef<Asking | null>(null)

function ask(what: string, problem: Problem | null): Promise<string | null> {
  return new Promise((resolve) => {
    asking.value = {
      what,
      problem,
      answer: (given) => {
        if (given === null) asking.value = null
        resolve(given)
      },
    }
  })
}

const kMissing = new Set(['case.signature_missing', 'identity.signature_missing', 'identity.code_required'])
const kWrong = new Set(['identity.password_wrong', 'identity.code_wrong']) // of a proof that was given

// null: the person changed their mind. Any other refusal is thrown on.
export async function sign_and<T>(what: string, send: (proof: Proof) => Promise<T>): Promise<T | null> {
  let proof: Proof = {}
  for (let given = false; ; given = true) {
    try {
      const done = await send(proof)
      asking.value = null
      return done
    } catch (error) {
      const type = error instanceof Refusal ? error.problem.type : ''
      if (!(error instanceof Refusal) || !(kMissing.has(type) || (given && kWrong.has(type)))) {
        asking.value = null
        throw error
      }
      const answer = await ask(what, given ? error.problem : null)
      if (answer === null) return null
      proof = proof_of(answer)
    }
  }
}
