// How many notices are unread, for the bell. Asked when a person does something (another page, back to the window), never
// by a timer: that would keep an abandoned session alive.
import { ref } from 'vue'
import { notices_unread } from '@/api/calls'

export const unread = ref(0)

let turn = 0

export async function unread_refresh(): Promise<void> {
  const mine = ++turn
  try {
    const got = await notices_unread()
    if (mine === turn) unread.value = got.unread
  } catch {
    // the number stays as it was; the page itself tells what is wrong
  }
}

// What an act has told already; an answer still under way is older than this.
export function unread_is(count: number) {
  turn += 1
  unread.value = count
}

// "case:2026-0017" is about the case of that number.
export function about_of(about: string): { sort: string; number: string } | null {
  const match = /^([a-z_]+):([\w-]+)$/.exec(about)
  return match ? { sort: match[1]!, number: match[2]! } : null
}
