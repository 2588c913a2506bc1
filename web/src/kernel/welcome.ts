// Where to go after signing in: back to where one was, if that was a page of ours.
import type { Router } from 'vue-router'

export function back_of(router: Router): string {
  const back: unknown = history.state?.back_to
  if (typeof back !== 'string' || !back.startsWith('/') || back.startsWith('//')) return '/'
  const resolved = router.resolve(back)
  return resolved.name === 'signin' || resolved.name === 'lost' ? '/' : back
}
