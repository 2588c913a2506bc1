// What the pages offer is told by the server: the places of each kind of person, and how much waits there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isText } from './checks.mjs';
import { forEachStore, sqlOutside } from './support.mjs';

// Besides those that everybody has: home, modules, cases, notices, grants, calendar, same, me.
const own = {
  student: ['grades', 'timetable'],
  graduate: ['grades'],
  teacher: ['timetable', 'sections', 'deputies'],
  class_adviser: ['class', 'deputies'],
  department_head: ['desk', 'deputies', 'unit_grants'],
  academic_office: ['desk', 'deputies', 'all_grants', 'lending', 'regulation'],
  security_admin: ['desk', 'deputies', 'lending', 'regulation'],
  audit_admin: ['deputies', 'regulation'],
  finance_office: ['deputies'],
};
const everybody = ['home', 'modules', 'cases', 'notices', 'grants', 'calendar', 'same', 'me'];
const taught = ['timetable', 'sections']; // by whoever teaches, whatever else they are

forEachStore('places', (world) => {
  for (const [kind, names] of Object.entries(own)) {
    test(`of ${kind} are those of the posts held, in the order of the rail`, async () => {
      const { json: me } = await (await world.as(kind)).get('/api/me');
      const places = me.places.map((place) => place.name);
      assert.deepEqual([places[0], places.at(-1)], ['home', 'me']);
      const teaches = me.posts.some((post) => post.name === 'teacher');
      const wanted = new Set([...everybody, ...names, ...(teaches ? taught : [])]);
      assert.deepEqual(places.toSorted(), [...wanted].sort());
      for (const place of me.places) assert.ok(isText(place.label), place.name);
    });
  }

  test('tell how much waits there', async () => {
    const desk = await world.as('security_admin');
    const place = async (name) => (await desk.get('/api/me')).json.places.find((each) => each.name === name);
    assert.equal((await place('lending')).count, 0);
    await sqlOutside(world.db, `INSERT INTO lending_finding (id, number, account, holder, holder_name, holder_kind, rule, score, seen_zh, seen_en, begins, ends,
        sessions, leaves, first_found, found, state)
      SELECT 901, 901, MAX(id), 'x', 'x', 'teacher', 'unlike_own_past', 30, '甲', 'x', 1, 2, '[]', '[]', 1, 2, 'open' FROM account WHERE kind = 'teacher'`);
    assert.equal((await place('lending')).count, 1);
    assert.equal((await place('notices')).count, (await desk.get('/api/notices/unread')).json.unread);
  });

  test('a deputy is offered for the posts for which cases wait, and for no other', async () => {
    const offer = async (kind) => (await (await world.as(kind)).get('/api/deputies/offer')).json;
    const offered = async (kind) => (await offer(kind)).posts.map((each) => each.post.name);
    assert.deepEqual([(await offer('academic_office')).by_name, (await offer('department_head')).by_name], [true, false]);
    assert.deepEqual(await offered('student'), []);
    assert.deepEqual(await offered('finance_office'), []);
    assert.deepEqual([...new Set(await offered('department_head'))], ['department_head']);
    assert.deepEqual([...new Set(await offered('academic_office'))], ['academic_office']);
  });

  test('the application proposes the rows nearest to the post, and sensitive fields masked or not at all', async () => {
    const rows = async (kind) => Object.fromEntries((await (await world.as(kind)).get('/api/access/catalogue')).json.datasets.map((each) => [each.name, each.rows]));
    assert.equal((await rows('teacher')).evaluation, 'taught');
    assert.equal((await rows('finance_office')).evaluation, '');
    assert.equal((await rows('finance_office')).term, 'all');
    const { json } = await (await world.as('department_head')).get('/api/access/catalogue');
    assert.ok(json.holders.some((each) => each.post === 'department_head' && each.unit.name && isText(each.label)));
    for (const field of json.datasets.flatMap((each) => each.fields))
      assert.equal(field.sight, field.level < 3 ? 'clear' : field.masked ? 'masked' : 'none', field.name);
  });
});
