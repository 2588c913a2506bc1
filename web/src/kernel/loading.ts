// A piece of a page that is asked from the server: its value, its problem, and asking again.
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { as_problem } from '@/api/client'
import type { Problem } from '@/api/types'

export interface Loading<T> {
  value: ShallowRef<T | null>
  problem: ShallowRef<Problem | null>
  busy: Ref<boolean>
  load: () => Promise<void>
}

export function loading<T>(ask: () => Promise<T>, start = true): Loading<T> {
  const value = shallowRef<T | null>(null) as ShallowRef<T | null>
  const problem = shallowRef<Problem | null>(null)
  const busy = ref(false)
  let turn = 0
  async function load() {
    const mine = ++turn
    busy.value = true
    try {
      const got = await ask()
      if (mine !== turn) return
      value.value = got
      problem.value = null
    } catch (error) {
      if (mine !== turn) return
      problem.value = as_problem(error)
    } finally {
      if (mine === turn) busy.value = false
    }
  }
  if (start) void load()
  return { value, problem, busy, load }
}
