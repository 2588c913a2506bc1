// The right person for each route of the regulation.

// What a second person needs to decide about the regulation: a version to go back to, and open proposals.
async function regulationOf(world, office, security) {
  const password = world.accountsOf('security_admin')[0].password;
  const offer = async (base, value) => (await office.sign('/api/regulation/proposals', { base, note: 'x', changes: [{ op: 'set_setting', name: 'decision_days', value }] })).json.proposal;
  await security.post(`/api/regulation/proposals/${await offer(1, 6)}/approve`, { password });
  return { password, changes: [{ op: 'set_setting', name: 'decision_days', value: 7 }], approve: await offer(2, 8), reject: await offer(2, 9), withdraw: await offer(2, 10) };
}

// route → path and body of the right person, statuses of others, who may send a body of their own, the right person when
// it is not the student.
export async function rows(world, { office, security, student, key }) {
  const regulation = await regulationOf(world, office, security);
  return {
    'GET /api/regulation': [['/api/regulation'], [403], undefined, office],
    'GET /api/regulation/difference': [['/api/regulation/difference?from=1&to=2'], [403], undefined, security],
    'POST /api/regulation/preview': [['/api/regulation/preview', { changes: regulation.changes }], [403], undefined, office],
    'POST /api/regulation/proposals': [['/api/regulation/proposals', { base: 2, note: 'x', changes: regulation.changes, password: office.password }], [403], undefined, office],
    'POST /api/regulation/rollback': [['/api/regulation/rollback', { base: 2, to: 1, note: 'x', password: office.password }], [403], undefined, office],
    'POST /api/regulation/proposals/{id}/withdraw': [[`/api/regulation/proposals/${regulation.withdraw}/withdraw`, { password: office.password }], [403], undefined, office],
    'POST /api/regulation/proposals/{id}/reject': [[`/api/regulation/proposals/${regulation.reject}/reject`, { password: regulation.password, reason: 'x' }], [403], undefined, security],
    'POST /api/regulation/proposals/{id}/approve': [[`/api/regulation/proposals/${regulation.approve}/approve`, { password: regulation.password }], [403], undefined, security],
    'GET /api/sight/cell': [[`/api/sight/cell?dataset=grade&key=${key}&field=score`], [403], undefined, security],
    'GET /api/sight/person': [[`/api/sight/person?account=${student.account}`], [403], undefined, office],
  };
}
