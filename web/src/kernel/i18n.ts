// Two languages, one dictionary each: the words of the shell, and those that each module brings in modules/NAME/web/{zh,en}.ts.
// Texts from the server come as {zh, en}.
import { computed, ref } from 'vue'
import type { Text } from '@/api/types'
import { en } from '@/locales/en'
import { zh } from '@/locales/zh'

export type Lang = 'zh' | 'en'
// Each module declares its own words to be among these.
export interface Words extends Record<keyof typeof zh, string> {}
export type Key = keyof Words
type Dictionary = Record<string, string>

const of_modules = {
  zh: import.meta.glob<Dictionary>('../../../modules/*/web/zh.ts', { eager: true, import: 'zh' }),
  en: import.meta.glob<Dictionary>('../../../modules/*/web/en.ts', { eager: true, import: 'en' }),
}
const all_words = (shell: Dictionary, modules: Record<string, Dictionary>): Dictionary => Object.assign({}, shell, ...Object.values(modules))
const dictionaries: Record<Lang, Dictionary> = { zh: all_words(zh, of_modules.zh), en: all_words(en, of_modules.en) }
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
  return fill(dictionaries[lang.value][key] ?? key, params)
}

// For keys put together at run time (machine names of the server): the machine name itself when we know no word.
export function t_or(key: string, otherwise: string): string {
  return dictionaries[lang.value][key] ?? otherwise
}

export function say(text: Text | null | undefined): string {
  if (!text) return ''
  return (lang.value === 'zh' ? text.zh || text.en : text.en || text.zh) ?? ''
}
