// One small panel for "why": the text of a clause, the reason of a hidden cell and how to ask for it.
import { shallowRef } from 'vue'
import type { Remedy, Text } from '@/api/types'

export interface Note {
  anchor: HTMLElement
  title: string
  clause?: string
  text?: Text
  remedy?: Remedy
}

export const note = shallowRef<Note | null>(null)

export function note_open(next: Note) {
  note.value = next
}

export function note_close() {
  note.value = null
}
