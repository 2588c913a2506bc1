// What holds of every answer and every error.
import assert from 'node:assert/strict';

const LEAK = /SELECT |INSERT |sqlite|postgres|libpq|pq_|std::|boost|\.cpp|\.hpp|terminate|backtrace|\/home\/|\/work\/|\/tmp\/|\/usr\/|person_id|\b0x[0-9a-f]{8,}\b/i;

export const isText = (value) => typeof value?.zh === 'string' && value.zh !== '' && typeof value?.en === 'string' && value.en !== '';

// An RFC 9457 problem of this status, in both languages, that gives away nothing of the inside.
export function isProblem(answer, status) {
  assert.equal(answer.status, status, answer.text);
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  const problem = answer.json;
  assert.equal(problem.status, status);
  assert.equal(typeof problem.type, 'string');
  assert.match(problem.code, /^[a-z_]+$/);
  assert.ok(isText(problem.title) && isText(problem.detail), answer.text);
  assert.ok(problem.request, answer.text);
  for (const field of problem.fields ?? []) assert.ok(typeof field.field === 'string' && field.code && isText(field.text), answer.text);
  if (problem.remedy) assert.ok(problem.remedy.clause && isText(problem.remedy.text), answer.text);
  const known = ['type', 'title', 'status', 'code', 'detail', 'fields', 'remedy', 'request', 'record'];
  assert.deepEqual(Object.keys(problem).filter((key) => !known.includes(key)), []);
  assert.doesNotMatch(answer.text, LEAK);
  return problem;
}
