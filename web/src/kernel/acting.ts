// What a person does on a page: one thing at a time, and its problem until the next try.
import { ref, shallowRef } from 'vue'
import { as_problem } from '@/api/client'
import type { Problem } from '@/api/types'
import { say } from './i18n'

export function acting() {
  const problem = shallowRef<Problem | null>(null)
  const busy = ref(false)
  async function act(work: () => Promise<unknown>) {
    if (busy.value) return
    busy.value = true
    problem.value = null
    try {
      await work()
    } catch (error) {
      problem.value = as_problem(error)
    } finally {
      busy.value = false
    }
  }
  const fault_of = (field: string) => say(problem.value?.fields?.find((one) => one.field === field)?.text)
  return { problem, busy, act, fault_of }
}
