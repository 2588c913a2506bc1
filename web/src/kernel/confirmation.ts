// In the middle of a session somebody is asked to show again who it is (§2.5.3). Every call that meets this waits for one
// answer, and is then asked again.
import { shallowRef } from 'vue'
import type { Problem } from '@/api/types'

export const asked = shallowRef<Problem | null>(null)
let answer: ((shown: boolean) => void) | null = null
let waiting: Promise<boolean> | null = null

export function confirmation_ask(problem: Problem): Promise<boolean> {
  waiting ??= new Promise<boolean>((resolve) => {
    asked.value = problem
    answer = resolve
  })
  return waiting
}

// `shown`: it was; false: the person signs out instead.
export function confirmation_end(shown: boolean) {
  asked.value = null
  waiting = null
  answer?.(shown)
  answer = null
}
