// Signing a step (docs/api.md): a signature holds for some minutes of the session, so a step is sent without the password first; only
// when the server asks for it the dialog opens, once, and the step is sent again.
import { shallowRef } from 'vue'
import { Refusal } from '@/api/client'
import type { Problem } from '@/api/types'

export interface Asking {
  what: string // the step, as its button says it
  problem: Problem | null // of the password typed before
  answer: (password: string | null) => void
}
export const asking = shallowRef<Asking | null>(null)

function ask_password(what: string, problem: Problem | null): Promise<string | null> {
  return new Promise((resolve) => {
    asking.value = {
      what,
      problem,
      answer: (password) => {
        if (password === null) asking.value = null
        resolve(password)
      },
    }
  })
}

const kAgain = new Set(['case.signature_missing', 'identity.password_wrong'])

// null: the person changed their mind. Any other refusal is thrown on.
export async function sign_and<T>(what: string, send: (password?: string) => Promise<T>): Promise<T | null> {
  let password: string | undefined
  for (;;) {
    try {
      const done = await send(password)
      asking.value = null
      return done
    } catch (error) {
      if (!(error instanceof Refusal) || !kAgain.has(error.problem.type)) {
        asking.value = null
        throw error
      }
      const typed = await ask_password(what, error.problem.type === 'identity.password_wrong' ? error.problem : null)
      if (typed === null) return null
      password = typed
    }
  }
}
