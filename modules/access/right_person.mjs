// The right person for each route that only applying for access has.

// route → path and body of the right person, statuses of others, who may send a body of their own, the right person when
// it is not the student.
export async function rows(world, { office, cases }) {
  return {
    'GET /api/access/catalogue': [['/api/access/catalogue'], [200]],
    'POST /api/access/preview': [['/api/access/preview', { content: cases.content }], [200]],
    'GET /api/access/{number}/effect': [[`/api/access/${cases.number}/effect`], [403, 404], undefined, office],
  };
}
