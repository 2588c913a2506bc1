// Who is signed in. The session itself is a cookie that scripts cannot read; this holds only what /api/me tells.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { as_problem } from '@/api/client'
import { me_read, session_close } from '@/api/calls'
import type { Me, Problem } from '@/api/types'
import { kept_forget } from './kept'
import { unread_is } from './notices'

export const use_session = defineStore('session', () => {
  const me = shallowRef<Me | null>(null)
  const known = ref(false) // whether the server has been asked
  const fault = shallowRef<Problem | null>(null)
  const ended = ref(false) // a session ended under us, not by signing out

  const datasets = computed(() => new Set(me.value?.modules.flatMap((module) => module.datasets.map((d) => d.name)) ?? []))
  const may = (dataset: string) => datasets.value.has(dataset)
  const has_place = (name: string) => me.value?.places.some((place) => place.name === name) ?? false

  async function load() {
    try {
      me.value = await me_read()
      unread_is(me.value.places.find((place) => place.name === 'notices')?.count ?? 0)
      fault.value = null
      ended.value = false
    } catch (error) {
      const problem = as_problem(error)
      me.value = null
      fault.value = problem.status === 401 ? null : problem
    }
    known.value = true
  }

  function forget(was_ended: boolean) {
    me.value = null
    ended.value = was_ended
    kept_forget()
  }

  async function close() {
    try {
      await session_close()
    } finally {
      forget(false)
    }
  }

  return { me, known, fault, ended, may, has_place, load, forget, close }
})
