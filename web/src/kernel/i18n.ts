// Two languages, one typed dictionary each. Texts from the server come as {zh, en}.
import { computed, ref } from 'vue'
import type { Text } from '@/api/types'
import { en } from '@/locales/en'
import { zh } from '@/locales/zh'

export type Lang = 'zh' | 'en'
export type Key = keyof typeof zh

const dictionaries: Record<Lang, Record<Key, string>> = { zh, en }
const kStored = 'jiaowu.lang'

function first_lang(): Lang {
  try {
    const stored = localStorage.getItem(kStored)
    if (stored === 'zh' || stored === 'en') return stored
  } catch {
    // storage may be closed to us; the page then starts in Chinese
  }
  return 'zh'
}

export const lang = ref<Lang>(first_lang())
export const locale_tag = computed(() => (lang.value === 'zh' ? 'zh-CN' : 'en'))

export function set_lang(next: Lang) {
  lang.value = next
  document.documentElement.lang = next === 'zh' ? 'zh-CN' : 'en'
  try {
    localStorage.setItem(kStored, next)
  } catch {
    // then only for this visit
  }
}

// `{name}` in a text is filled from params.
export function fill(text: string, params: Record<string, string | number> = {}): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in params ? String(params[name]) : whole))
}

export function t(key: Key, params?: Record<string, string | number>): string {
  return fill(dictionaries[lang.value][key], params)
}

// For keys put together at run time (machine names of the server): the machine name itself when we know no word.
export function t_or(key: string, otherwise: string): string {
  const dictionary = dictionaries[lang.value] as Record<string, string>
  return dictionary[key] ?? otherwise
}

export function say(text: Text | null | undefined): string {
  if (!text) return ''
  return (lang.value === 'zh' ? text.zh || text.en : text.en || text.zh) ?? ''
}
