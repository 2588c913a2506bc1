// The walk of the added procedure over HTTP: reported, found in the list, moved by whoever has the power, handed out.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProblem } from './checks.mjs';
import { forEachStore } from './support.mjs';

forEachStore('lost and found cards', (world) => {
  let number;

  test('whoever found a card reports it, and everybody finds it in the list', async () => {
    const student = await world.as('student');
    const wrong = await student.post('/api/cases', { kind: 'lost_card', action: 'report', content: { card: ' ', place: 'x' } });
    assert.equal(isProblem(wrong, 422).fields[0].field, 'content.card');
    const made = await student.post('/api/cases', { kind: 'lost_card', action: 'report', content: { card: '202499999', place: '一号楼' } });
    assert.equal(made.status, 200, made.text);
    number = made.json.number;
    assert.equal(made.json.state.label.zh, '待认领');
    const teacher = await world.as('teacher');
    assert.deepEqual(await teacher.rows({ dataset: 'lost_card', fields: ['number', 'card', 'place', 'state'] }), [[number, '202499999', '一号楼', 'kept']]);
    isProblem(await (await world.as('graduate')).query({ dataset: 'lost_card' }), 403);
  });

  test('the power is the office’s, whatever the handler asks', async () => {
    const student = await world.as('student'), office = await world.as('logistics_office');
    const path = `/api/lost-cards/${number}/place`;
    assert.equal(isProblem(await student.post(path, { place: '我这里' }), 403).type, 'policy.power_missing');
    isProblem(await world.server.request('POST', path, { body: { place: 'x' } }), 401);
    const moved = await office.post(path, { place: '招领柜' });
    assert.equal(moved.status, 200, moved.text);
    assert.match(moved.json.record, /\/\d+$/);
    assert.deepEqual(await student.rows({ dataset: 'lost_card', fields: ['place'] }), [['招领柜']]);
  });

  test('the office hands it out, nobody else', async () => {
    const student = await world.as('student'), office = await world.as('logistics_office');
    isProblem(await student.post(`/api/cases/${number}/hand_out`, { opinion: '给我' }), 403);
    const done = await office.post(`/api/cases/${number}/hand_out`, { opinion: '本人领回' });
    assert.equal(done.status, 200, done.text);
    assert.equal(done.json.state.closed, true);
    assert.deepEqual(await student.rows({ dataset: 'lost_card', fields: ['state'] }), [['handed_out']]);
    const described = (await world.server.request('GET', '/api/openapi.json')).json;
    assert.equal(described.paths['/api/lost-cards/{number}/place'].post['x-needs'], 'lost_card_shelf');
  });
});
