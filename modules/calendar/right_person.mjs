// The right person for each route of the calendar.

// What 教务处 needs to act upon the calendar: a file of a year, a window to come, and the number of one there is.
async function windowOf(office) {
  const soon = new Date();
  const day = (after) => new Date(soon.getTime() + after * 86_400_000).toISOString().slice(0, 10);
  const reason = { zh: '停办', en: 'closed' };
  const { changed } = (await office.sign('/api/calendar/windows', { begins: day(40), ends: day(41), reason })).json;
  const off = ['01-01', '02-01/02-08', '05-01/05-02', '10-01/10-03'].map((days) => `{ days = "${days}", name = { zh = "假", en = "holiday" } }`);
  return { id: changed.to, body: { begins: day(50), ends: day(51), reason }, file: `[[year]]\nyear = 2060\nprovisional = true\noff = [${off.join(', ')}]\n` };
}

// route → path and body of the right person, statuses of others, who may send a body of their own, the right person when
// it is not the student.
export async function rows(world, { office }) {
  const window = await windowOf(office);
  return {
    'GET /api/calendar': [['/api/calendar'], [200]],
    'POST /api/calendar/check': [['/api/calendar/check', { file: window.file }], [403], undefined, office],
    'POST /api/calendar/years': [['/api/calendar/years', { file: window.file, reason: 'x', password: office.password }], [403], undefined, office],
    'POST /api/calendar/windows': [['/api/calendar/windows', { ...window.body, password: office.password }], [403], undefined, office],
    'POST /api/calendar/windows/{id}/withdrawal': [[`/api/calendar/windows/${window.id}/withdrawal`, { reason: 'x', password: office.password }], [403], undefined, office],
  };
}
