// For web/src/unanswered.test.ts: what a healthy server says when there is nothing.
export const nothing = {
  '/api/regulation': {
    version: 1, in_force: 1, may: { propose: true, approve: true, ask: true }, settings: [], posts: [], powers: [], rules: [], datasets: [], relations: [],
    modules: [], purposes: [], record: '',
  },
}
