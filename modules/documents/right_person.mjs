// The right person for each route of exports.

// route → path and body of the right person, statuses of others, who may send a body of their own, the right person when
// it is not the student.
export async function rows(world, { student }) {
  const query = { dataset: 'grade', fields: ['student', 'score'] };
  const document = (await student.post('/api/documents', { query, format: 'csv', purpose: 'study' })).json;
  return {
    'POST /api/documents': [['/api/documents', { query, format: 'csv', purpose: 'study' }], [200, 403]],
    'GET /api/documents/{number}': [[document.link], [404]],
  };
}
