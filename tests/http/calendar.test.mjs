// The calendar of working days over HTTP and on the command line: who reads, who changes, what is on record (§2.4.2).
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { isProblem, isText } from './checks.mjs';
import { clockFile, forEachStore, mustRun, run, Server, temporary } from './support.mjs';

const file = (change = (text) => text) => change(`[[year]]
year   = 2027
notice = "国办发明电〔2026〕9号"
issued = 2026-11-05
source = "https://www.gov.cn/zhengce/x.htm"
off    = [
  { days = "01-01/01-03", name = { zh = "元旦", en = "New Year" } },
  { days = "02-05/02-12", name = { zh = "春节", en = "Spring Festival" } },
  { days = "04-03/04-05", name = { zh = "清明节", en = "Qingming" } },
  { days = "05-01/05-05", name = { zh = "劳动节", en = "Labour Day" } },
  { days = "06-09", name = { zh = "端午节", en = "Dragon Boat Festival" } },
  { days = "09-15", name = { zh = "中秋节", en = "Mid-Autumn" } },
  { days = "10-01/10-07", name = { zh = "国庆节", en = "National Day" } },
]
work   = ["01-30", "02-20", "04-25", "05-08", "10-09"]
`);

const dayOf = (calendar, date) => calendar.days.find((day) => day.date === date);
const kClock = '2026-11-23T10:00:00+08:00';

forEachStore('calendar', (world) => {
  const read = async (person, year) => {
    const answer = await person.get(`/api/calendar?year=${year}`);
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  };

  test('anybody signed in reads a year, with the notice, and what is provisional is marked', async () => {
    const student = await world.as('student');
    const year = await read(student, 2026);
    assert.equal(year.days.length, 365);
    assert.equal(year.working_days, 248);
    assert.equal(year.days.filter((day) => day.works).length, 248);
    assert.equal(year.notice, '国办发明电〔2025〕7号');
    assert.equal(year.provisional, false);
    assert.equal(year.may_change, false);
    assert.equal(isProblem(await student.query({ dataset: 'calendar_change' }), 403).type, 'policy.no_permit', 'names of the office are for the office');
    assert.deepEqual([dayOf(year, '2026-02-14').kind, dayOf(year, '2026-02-17').kind, dayOf(year, '2026-03-07').kind], ['makeup', 'holiday', 'weekend']);
    assert.ok(isText(dayOf(year, '2026-02-17').reason));
    for (const later of [2027, 2040]) assert.equal((await read(student, later)).provisional, true);
    assert.equal(dayOf(await read(student, 2027), '2027-01-01').works, false);
    assert.deepEqual((await (await world.as('academic_office')).rows({ dataset: 'calendar_change', fields: ['version', 'kind', 'name'] })).at(-1), [1, 'start', '']);
    for (const wrong of ['2024', '2100', 'x', '2026x', '']) isProblem(await student.get(`/api/calendar?year=${wrong}`), 422);
    assert.equal((await student.get('/api/calendar')).json.year, Number(kClock.slice(0, 4)));
  });

  test('§6.1.1.a only 教务处 changes it; a refused attempt is on record', async () => {
    const attempts = [['/api/calendar/check', { file: file() }], ['/api/calendar/years', { file: file(), reason: 'x' }],
      ['/api/calendar/windows', { begins: '2027-01-18', ends: '2027-01-20', reason: { zh: '停', en: 'closed' } }], ['/api/calendar/windows/1/withdrawal', { reason: 'x' }]];
    const before = (await read(await world.as('academic_office'), 2027)).version;
    for (const kind of ['student', 'teacher', 'student_office', 'department_head', 'system_admin']) {
      const person = await world.as(kind);
      for (const [path, body] of attempts) {
        const problem = isProblem(await person.post(path, body), 403);
        assert.equal(problem.type, 'policy.power_missing');
        assert.ok(problem.record && isText(problem.remedy.text));
      }
    }
    assert.equal((await read(await world.as('academic_office'), 2027)).version, before);
  });

  test('an import says line, field and what would be right, or changes the days', async () => {
    const office = await world.as('academic_office');
    const wrong = isProblem(await office.sign('/api/calendar/years', { file: file((text) => text.replace('"05-08"', '"05-07"').replace('02-05/02-12', '02-05/02-32')), reason: '新通知' }), 422);
    assert.equal(wrong.type, 'calendar.file_invalid');
    assert.deepEqual(wrong.fields.map(({ code }) => code), ['line_8', 'line_15']);
    assert.match(wrong.fields[0].text.zh, /第 8 行.*days/);
    assert.match(wrong.fields[1].text.en, /line 15.*Saturday or Sunday/);
    assert.equal(isProblem(await office.sign('/api/calendar/years', { file: file(), reason: ' ' }), 422).fields[0].field, 'reason');
    for (const body of [{}, { file: 7, reason: 'x' }, []]) assert.ok([400, 422].includes((await office.sign('/api/calendar/years', body)).status));

    const checked = (await office.post('/api/calendar/check', { file: file() })).json;
    assert.deepEqual(checked.years.map(({ year, known, provisional }) => [year, known, provisional]), [[2027, true, false]]);
    const changing = checked.years[0].differs.map(({ date, works }) => `${date} ${works}`);
    assert.ok(changing.includes('2027-02-09 false') && changing.includes('2027-02-20 true') && !changing.includes('2027-01-01 false'));

    const { version } = await read(office, 2027);
    const done = await office.sign('/api/calendar/years', { file: file(), reason: '2027 年通知' });
    assert.equal(done.status, 200, done.text);
    assert.deepEqual(done.json.changed, { from: version, to: version + 1 });
    const after = await read(await world.as('student'), 2027);
    assert.equal(after.version, version + 1);
    assert.equal(after.provisional, false);
    assert.equal(after.working_days, checked.years[0].working_days);
    assert.equal(dayOf(after, '2027-02-20').kind, 'makeup');
    assert.equal(isProblem(await office.sign('/api/calendar/years', { file: file(), reason: 'x' }), 409).type, 'calendar.same');

    const proof = (await office.get(`/api/audit/proof?leaf=${encodeURIComponent(done.json.record)}`)).json;
    assert.match(JSON.stringify(proof), /calendar_years/);
    const [newest] = await office.rows({ dataset: 'calendar_change', fields: ['version', 'kind', 'reason', 'name'] });
    assert.deepEqual(newest.slice(0, 3), [version + 1, 'years', '2027 年通知']);
    assert.ok(newest[3]);
  });

  test('whoever keeps it signs, once for what follows within minutes', async () => {
    const office = await world.enter('academic_office');
    const window = { begins: '2027-04-12', ends: '2027-04-13', reason: { zh: '运动会', en: 'sports day' } };
    for (const [path, body] of [['/api/calendar/years', { file: file(), reason: 'x' }], ['/api/calendar/windows', window], ['/api/calendar/windows/1/withdrawal', { reason: 'x' }]]) {
      const problem = isProblem(await office.post(path, body), 403);
      assert.equal(problem.type, 'identity.signature_missing', path);
      assert.ok(problem.record);
    }
    const added = await office.sign('/api/calendar/windows', window);
    assert.equal(added.status, 200, added.text);
    const gone = await office.post(`/api/calendar/windows/${added.json.changed.to}/withdrawal`, { reason: '改期' });
    assert.equal(gone.status, 200, gone.text);
  });

  test('a window stops days, and a withdrawn one no longer does', async () => {
    const office = await world.as('academic_office');
    const reason = { zh: '寒假', en: 'winter holiday' };
    const added = await office.sign('/api/calendar/windows', { begins: '2027-01-18', ends: '2027-02-28', reason });
    assert.equal(added.status, 200, added.text);
    let year = await read(office, 2027);
    assert.deepEqual(year.windows, [{ id: added.json.changed.to, begins: '2027-01-18', ends: '2027-02-28', reason, over: false }]);
    assert.equal(dayOf(year, '2027-01-18').kind, 'window');
    assert.equal(dayOf(year, '2027-02-07').kind, 'holiday');
    for (const [body, status, field] of [
      [{ begins: '2027-02-28', ends: '2027-03-02', reason }, 409, 'begins'], [{ begins: '2027-04-02', ends: '2027-04-01', reason }, 422, 'ends'],
      [{ begins: '2026-01-01', ends: '2026-01-02', reason }, 422, 'begins'], [{ begins: '2027-04-31', ends: '2027-05-01', reason }, 422, 'begins'],
      [{ begins: '2027-04-01', ends: '2027-04-02', reason: { zh: '停办' } }, 422, 'reason.en'], [{ begins: '2027-04-01' }, 422, 'ends'], [{ begins: '2027-04-01', ends: '2027-04-02', reason: 'x' }, 422, 'reason.zh'],
    ]) {
      assert.equal(isProblem(await office.sign('/api/calendar/windows', body), status).fields[0].field, field, JSON.stringify(body));
    }
    const path = `/api/calendar/windows/${added.json.changed.to}/withdrawal`;
    isProblem(await office.sign(path, {}), 422);
    for (const other of ['999', 'x', '0']) isProblem(await office.sign(`/api/calendar/windows/${other}/withdrawal`, { reason: 'x' }), 404);
    const gone = await office.sign(path, { reason: '不放了' });
    assert.equal(gone.status, 200, gone.text);
    assert.equal(gone.json.changed.from, added.json.changed.to);
    year = await read(office, 2027);
    assert.deepEqual(year.windows, []);
    assert.equal(dayOf(year, '2027-01-18').kind, 'workday');
    isProblem(await office.sign(path, { reason: 'x' }), 404);
  });

  test('the operator imports a year beside the running server, which has it at once', async () => {
    const name = await temporary(`calendar_${world.kind}.toml`);
    await writeFile(name, file((text) => text.replaceAll('2027', '2029').replace('work   = ["01-30", "02-20", "04-25", "05-08", "10-09"]', 'work   = []')));
    const checked = await mustRun('calendar', 'import', name, '--db', world.db, '--check');
    assert.match(checked.out, /2029 国办发明电〔2026〕9号：\d+ 个工作日/);
    const student = await world.as('student');
    assert.equal((await read(student, 2029)).imported, false);
    assert.match((await mustRun('calendar', 'import', name, '--db', world.db, '--reason', '通知')).out, /版本 \/ version \d+ → \d+/);
    assert.equal((await read(student, 2029)).notice, '国办发明电〔2026〕9号');
    const again = await run('calendar', 'import', name, '--db', world.db);
    assert.equal(again.code, 1);
    assert.match(again.err, /没有变化 .* nothing would change/);
    await writeFile(name, file((text) => text.replace('notice', 'notise')));
    const wrong = await run('calendar', 'import', name, '--db', world.db);
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /:3: .*notise/);
    for (const words of [['calendar'], ['calendar', 'import', '/nowhere', '--db', world.db], ['calendar', 'export', name, '--db', world.db]]) assert.equal((await run(...words)).code, 2);
  });

  test('the record of all this holds', async () => {
    assert.match((await mustRun('audit', 'verify', '--db', world.db)).out, /the record holds/);
  });

  test('a second node has the change on its next answer', { skip: world.kind === 'sqlite' }, async () => {
    const second = await Server.start(world.db, '--clock', await clockFile('calendar_second', kClock));
    try {
      const [there, office] = [await world.enter('student', 0, second), await world.as('academic_office')];
      const { version } = await read(there, 2027);
      const added = await office.sign('/api/calendar/windows', { begins: '2027-07-12', ends: '2027-08-20', reason: { zh: '暑假', en: 'summer holiday' } });
      assert.equal(added.json.changed.from, version);
      assert.equal(dayOf(await read(there, 2027), '2027-07-12').kind, 'window');
    } finally {
      await second.stop();
    }
  });
}, { options: async (world) => ['--clock', await clockFile(`calendar_${world.kind}`, kClock)] });
