// The right person for each route of the desk for lending.
import { sqlOutside } from '../../tests/http/support.mjs';

// What the desk for lending deals with: two findings.
async function lendingOf(world) {
  for (const [id, kind] of [[901, 'graduate'], [902, 'graduate_expired']]) {
    await sqlOutside(world.db, `INSERT INTO lending_finding (id, number, account, holder, holder_name, holder_kind, rule, score, seen_zh, seen_en, begins, ends, sessions, leaves, first_found, found, state)
      SELECT ${id}, ${id}, MAX(id), 'x', 'x', '${kind}', 'unlike_own_past', 30, '甲', 'x', 1, 2, '[]', '[]', 1, 2, 'open' FROM account WHERE kind = '${kind}'`);
  }
  return { step: 901, dismiss: 902 };
}

// route → path and body of the right person, statuses of others, who may send a body of their own, the right person when
// it is not the student.
export async function rows(world, { office, security }) {
  const lending = await lendingOf(world);
  return {
    'POST /api/lending/findings/{id}/step': [[`/api/lending/findings/${lending.step}/step`, { step: 'read_only', reason: 'x', password: security.password }], [403], undefined, security],
    'POST /api/lending/findings/{id}/lift': [[`/api/lending/findings/${lending.step}/lift`, { reason: 'x', password: office.password }], [403], undefined, office],
    'POST /api/lending/findings/{id}/dismiss': [[`/api/lending/findings/${lending.dismiss}/dismiss`, { reason: 'x', password: security.password }], [403], undefined, security],
  };
}
