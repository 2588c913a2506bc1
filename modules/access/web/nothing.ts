// For web/src/unanswered.test.ts: what a healthy server says when there is nothing.
export const nothing = {
  '/api/access/catalogue': { holders: [], purposes: [], actions: [], datasets: [] },
  '/api/access/preview': { words: {} },
}
