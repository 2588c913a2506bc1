// One door to the server: JSON in, JSON out, every refusal a Refusal with the problem the server sent.
import { locale_tag } from '@/kernel/i18n'
import type { Problem } from './types'

export class Refusal extends Error {
  constructor(readonly problem: Problem) {
    super(problem.code ?? problem.type)
  }
}

type OnSignedOut = () => void
let signed_out: OnSignedOut = () => {}

// Called once by the application: what to do when a session has ended under us.
export function on_signed_out(act: OnSignedOut) {
  signed_out = act
}

// Called once by the application: a session that is held (§2.5.3) is asked for, true when the call may be made again.
let held: (problem: Problem) => Promise<boolean> = async () => false
export function on_held(ask: (problem: Problem) => Promise<boolean>) {
  held = ask
}

function unreachable(): Problem {
  return {
    type: 'web.unreachable',
    status: 0,
    title: { zh: '连接不上服务器', en: 'The server cannot be reached' },
    detail: {
      zh: '请检查网络后重试；您填写的内容仍在本页。',
      en: 'Check the network and try again; what you entered is still on this page.',
    },
  }
}

function unreadable(status: number): Problem {
  return {
    type: 'web.unreadable',
    status,
    title: { zh: '服务器的答复无法读取', en: 'The answer of the server cannot be read' },
    detail: {
      zh: `请稍后重试；若仍如此，请把状态号 ${status} 告诉教务处。`,
      en: `Try again later; if it stays so, tell the academic office the status ${status}.`,
    },
  }
}

export interface CallOptions {
  body?: unknown
  file?: File // sent as it is, instead of a body
  signal?: AbortSignal
  open?: boolean // asked with or without a session: a 401 of it ends none
}

// Of a live session these say only that its second factor was not shown, and that it may be tried again.
const kCodeMissed = new Set(['identity.code_required', 'identity.code_wrong'])

async function problem_of(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<Problem>
    if (body && typeof body === 'object' && body.title) return { ...body, status: response.status } as Problem
  } catch {
    // not JSON: told below
  }
  return unreadable(response.status)
}

export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': locale_tag.value }
  if (method !== 'GET') headers['X-CSRF'] = '1'
  if (options.file) headers['Content-Type'] = options.file.type || 'application/octet-stream'
  else if (options.body !== undefined) headers['Content-Type'] = 'application/json'
  let response: Response
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      cache: 'no-store',
      body: options.file ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
      signal: options.signal,
    })
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new Refusal(unreachable())
  }
  if (!response.ok) {
    const problem = await problem_of(response)
    if (problem.type === 'identity.confirmation_required' && (await held(problem))) return call<T>(method, path, options)
    if (response.status === 401 && !options.open && !kCodeMissed.has(problem.type)) signed_out()
    throw new Refusal(problem)
  }
  if (response.status === 204) return undefined as T
  const text = await response.text()
  if (text === '') return undefined as T
  try {
    return JSON.parse(text) as T
  } catch {
    throw new Refusal(unreadable(response.status))
  }
}

// Anything thrown, as a problem that can be shown.
export function as_problem(error: unknown): Problem {
  if (error instanceof Refusal) return error.problem
  return {
    type: 'web.fault',
    status: 0,
    title: { zh: '本页出错', en: 'A fault in this page' },
    detail: { zh: String(error), en: String(error) },
  }
}
