// For web/src/unanswered.test.ts: what a healthy server says when there is nothing.
export const nothing = {
  '/api/demo/persons': { persons: [] },
  '/api/demo/compare': { answers: [] },
}
