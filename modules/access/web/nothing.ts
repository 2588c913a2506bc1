// For web/src/unanswered.test.ts: what a healthy server says when there is nothing.
export const nothing = {
  '/api/catalogue': { purposes: [], actions: [], datasets: [] },
  '/api/cases/access/preview': { words: {} },
}
