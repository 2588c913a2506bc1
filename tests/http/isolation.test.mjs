// Changing any id in any request never shows a foreign row (§2.2.1, §2.2.2, §2.3.1). Which rows are one's own is worked out here from what
// 教务处 sees, apart from the program's own policy; then everything a person can send is tried against the rest.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isProblem } from './checks.mjs';
import { forEachStore } from './support.mjs';

const personal = ['student', 'enrolment', 'grade', 'status_change', 'award', 'discipline', 'attendance', 'payment', 'evaluation', 'warning', 'research_result', 'housing', 'graduation'];
const bySection = ['section', 'section_teacher', 'meeting'];
const taught = [...bySection, 'enrolment', 'progress', 'grade', 'attendance'];
const led = ['student', 'class', 'grade', 'attendance', 'award', 'discipline'];
const kindsTried = ['student', 'teacher', 'class_adviser'];
const scoped = { student: [...personal, ...bySection], teacher: taught, class_adviser: [...new Set([...taught, ...led])] };

const studentOf = (dataset, row) => (dataset === 'student' ? row.number : row.student);
const sectionOf = (dataset, row) => (dataset === 'section' ? row.number : row.section);

// Everything there is, as 教务处 sees it: dataset → {key, fields, rows as objects}.
async function everything(world) {
  const office = await world.as('academic_office');
  const names = [...new Set([...Object.values(scoped).flat(), 'term', 'class', 'course'])];
  const all = {};
  await Promise.all(names.map(async (dataset) => {
    const described = (await office.get(`/api/datasets/${dataset}`)).json;
    const fields = described.fields.map((field) => field.name);
    const rows = await office.all({ dataset, fields, limit: 1000 });
    const objects = rows.map((row) => Object.fromEntries(fields.map((name, at) => [name, row[at]])));
    all[dataset] = { key: described.key, fields: described.fields, rows: objects, keyOf: (row) => described.key.map((name) => row[name]).join('~') };
  }));
  return all;
}

// Is this row of the dataset the person's by the words of the regulation?
function ownership(kind, account, all) {
  if (kind === 'student') {
    const sections = new Set(all.enrolment.rows.filter((row) => row.student === account).map((row) => row.section));
    return (dataset, row) => (bySection.includes(dataset) ? sections.has(sectionOf(dataset, row)) : studentOf(dataset, row) === account);
  }
  const back = new Date();
  back.setFullYear(back.getFullYear() - 2);
  const recent = new Set(all.term.rows.filter((row) => new Date(row.ends) > back).map((row) => row.code));
  const termOf = new Map(all.section.rows.map((row) => [row.number, row.term]));
  const sections = new Set(all.section_teacher.rows.filter((row) => row.teacher === account && recent.has(termOf.get(row.section))).map((row) => row.section));
  const today = new Date(Date.now() + 8 * 3600_000).toISOString().slice(0, 10); // of the school
  const leads = (row) => row.adviser === account && (row.adviser_from ?? '') <= today && (row.adviser_until ?? '9999') >= today;
  const classes = new Set(all.class.rows.filter(leads).map((row) => row.code));
  const members = new Set(all.student.rows.filter((row) => classes.has(row.class)).map((row) => row.number));
  return (dataset, row) => (taught.includes(dataset) && sections.has(sectionOf(dataset, row)))
    || (led.includes(dataset) && (dataset === 'class' ? classes.has(row.code) : members.has(studentOf(dataset, row))));
}

const sorted = (list) => [...list].sort();
const sample = (list, most) => list.filter((_, at) => at % Math.max(1, Math.ceil(list.length / most)) === 0);
const encoded = (keys, row) => keys.map((name) => encodeURIComponent(row[name])).join('~');

async function inTurns(items, work, width = 12) {
  const waiting = [...items];
  await Promise.all(Array.from({ length: width }, async () => {
    while (waiting.length > 0) await work(waiting.shift());
  }));
}

forEachStore('nobody sees foreign rows', (world) => {
  let all;
  const load = async () => { all ??= await everything(world); };

  const exactly = {}; // kind → without a condition, exactly the own rows; by pages, the same

  for (const kind of kindsTried) {
    // For every dataset in scope: the person, own rows and those of others, with keys.
    const cases = async () => {
      await load();
      const person = await world.as(kind);
      const isOwn = ownership(kind, person.account, all);
      return { person, cases: scoped[kind].map((dataset) => {
        const { rows, keyOf, key, fields } = all[dataset];
        const own = rows.filter((row) => isOwn(dataset, row));
        const foreign = rows.filter((row) => !isOwn(dataset, row));
        return { dataset, key, keyOf, fields, own, foreign, ownKeys: new Set(own.map(keyOf)) };
      }) };
    };
    const onlyOwn = async (person, { dataset, key, ownKeys }, query, text) => {
      const rows = await person.all({ dataset, fields: key, limit: 1000, ...query });
      for (const row of rows) assert.ok(ownKeys.has(row.join('~')), `${kind} sees ${dataset} ${row} by ${text}`);
      return rows;
    };

    exactly[kind] = async () => {
      const { person, cases: each } = await cases();
      await inTurns(each, async ({ dataset, key, ownKeys }) => {
        const rows = await person.all({ dataset, fields: key, limit: 1000 });
        assert.deepEqual(sorted(rows.map((row) => row.join('~'))), sorted(ownKeys), dataset);
        const paged = await person.all({ dataset, fields: key, limit: Math.max(3, Math.ceil(ownKeys.size / 12)) });
        assert.deepEqual(paged, rows, `${dataset} by pages`);
      });
      assert.ok(each.filter(({ foreign }) => foreign.length > 0).length >= each.length - 1, 'there is something of others to be found');
      assert.ok(each.filter(({ ownKeys }) => ownKeys.size > 0).length >= each.length - 2, 'and something of one’s own');
      assert.ok(each.some(({ ownKeys }) => ownKeys.size > 3));
    };

    test(`${kind}: somebody else's keys are not there, one's own are`, async () => {
      const { person, cases: each } = await cases();
      for (const { dataset, key, own, foreign } of each) {
        await inTurns(sample(foreign, 12), async (row) => {
          const answer = await person.get(`/api/datasets/${dataset}/${encoded(key, row)}`);
          const problem = isProblem(answer, 404);
          assert.equal(problem.type, 'query.row_unknown');
          for (const value of [row.student_name, row.name]) if (value) assert.ok(!answer.text.includes(value));
        });
        await inTurns(sample(own, 3), async (row) => {
          const answer = await person.get(`/api/datasets/${dataset}/${encoded(key, row)}`);
          assert.equal(answer.status, 200, `${dataset} ${encoded(key, row)}: ${answer.text}`);
          assert.equal(answer.json.rows.length, 1);
        });
        const never = isProblem(await person.get(`/api/datasets/${dataset}/${encoded(key, Object.fromEntries(key.map((name) => [name, 'nobody'])))}`), 404);
        assert.equal(never.type, 'query.row_unknown', 'what is foreign and what is not there are answered alike');
      }
    });

    test(`${kind}: no condition reaches foreign rows`, async () => {
      const { person, cases: each } = await cases();
      await inTurns(each, async (one) => {
        const { own, foreign, fields } = one;
        const visible = new Set((await person.get(`/api/datasets/${one.dataset}`)).json.fields.filter((field) => field.sight === 'clear').map((field) => field.name));
        const tried = fields.filter(({ name, type }) => visible.has(name) && ['text', 'ref', 'code'].includes(type));
        for (const field of [...new Set([...tried.filter(({ name }) => one.key.includes(name)), ...sample(tried, 8)])]) {
          const { name } = field;
          const values = [...new Set(foreign.map((row) => row[name]).filter((value) => value !== null && value !== ''))];
          if (values.length === 0) continue;
          const ops = field.operators ?? [];
          const probes = [['eq', values[0]], ['eq', values.at(-1)], ['in', values.slice(0, 2000)], ['ne', values[0]], ['starts', String(values[0]).slice(0, 2)], ['contains', String(values.at(-1)).slice(-2)]];
          for (const [op, value] of probes.filter(([op]) => ops.includes(op))) {
            const where = { field: name, op, value };
            const seen = await onlyOwn(person, one, { where }, `${name} ${op}`);
            const other = await onlyOwn(person, one, { where: { not: where } }, `not ${name} ${op}`);
            const nulls = own.filter((row) => row[name] === null).length;
            assert.equal(seen.length + other.length, own.length - nulls, `${one.dataset} ${name} ${op} and its opposite make up the own rows`);
          }
        }
        if (foreign.length === 0) return;
        const [first] = foreign;
        const by = { all: one.key.map((name) => ({ field: name, op: 'eq', value: first[name] })) };
        assert.deepEqual(await onlyOwn(person, one, { where: by }, 'key'), []);
        await onlyOwn(person, one, { where: { any: [by, ...one.key.map((name) => ({ field: name, op: 'is_null', value: false }))] } }, 'any');
      });
    });

    test(`${kind}: ordering by any field, page by page, shows own rows once each`, async () => {
      const { person, cases: each } = await cases();
      for (const { dataset, key, ownKeys } of each) {
        const { fields } = (await person.get(`/api/datasets/${dataset}`)).json;
        const limit = Math.max(2, Math.ceil(ownKeys.size / 4));
        await inTurns(sample(fields.filter((field) => field.sight === 'clear'), world.kind === 'sqlite' ? 30 : 6), async ({ name }) => {
          for (const desc of [false, true]) {
            const rows = await person.all({ dataset, fields: key, order: [{ field: name, desc }], limit });
            assert.deepEqual(sorted(rows.map((row) => row.join('~'))), sorted(ownKeys), `${dataset} by ${name} ${desc}`);
          }
        });
      }
    });

    if (kind !== 'student') {
      test(`${kind}: groups and measures count what one sees`, async () => {
        const { person, cases: each } = await cases();
        await inTurns(each, async ({ dataset, key, own, foreign, ownKeys, fields }) => {
          const [[count]] = await person.rows({ dataset, measures: [{ fn: 'count' }] });
          assert.equal(count, ownKeys.size, dataset);
          const name = key[0];
          const groups = await person.all({ dataset, group: [name], measures: [{ fn: 'count' }, { fn: 'count_distinct', field: name }], limit: 1000 });
          const want = {};
          for (const row of own) want[row[name]] = (want[row[name]] ?? 0) + 1;
          assert.deepEqual(Object.fromEntries(groups.map(([value, rows]) => [value, rows])), want, dataset);
          const others = foreign.map((row) => row[name]).filter((value) => !(value in want));
          if (others.length > 0) {
            assert.deepEqual(await person.rows({ dataset, where: { field: name, op: 'in', value: [...new Set(others)].slice(0, 5000) }, measures: [{ fn: 'count' }] }), [[0]]);
          }
          const number = fields.find((field) => ['decimal', 'int'].includes(field.type) && !key.includes(field.name) && field.sight === 'clear');
          if (number) {
            const [[least, most]] = await person.rows({ dataset, measures: [{ fn: 'min', field: number.name }, { fn: 'max', field: number.name }] });
            const values = own.map((row) => row[number.name]).filter((value) => value !== null);
            if (values.length > 0) assert.deepEqual([least, most], [Math.min(...values), Math.max(...values)], `${dataset} ${number.name}`);
          }
        });
      });
    }
  }

  test('§2.2.1.a a teacher has exactly the rows of own sections, of two years', async () => exactly.teacher());
  test('§2.2.2.a a class adviser has exactly the rows of the class led, within the dates', async () => exactly.class_adviser());
  test('§2.3.1.a a student has exactly the own rows', async () => exactly.student());

  test('page tokens belong to one person, one query, and cannot be made', async () => {
    const [student, other, office, teacher] = [await world.as('student', 0), await world.as('student', 1), await world.as('academic_office'), await world.as('teacher')];
    const query = { dataset: 'grade', limit: 2 };
    const mine = (await student.query(query)).json.next;
    assert.ok(mine);
    assert.equal((await student.query({ ...query, after: mine })).status, 200);
    const tokens = [(await other.query(query)).json.next, (await office.query(query)).json.next, (await teacher.query(query)).json.next,
      mine.slice(0, -2), `${mine}A`, (mine[0] === 'A' ? 'B' : 'A') + mine.slice(1), [...mine].reverse().join(''), 'AAAA', 'x'.repeat(5000)];
    for (const after of tokens) {
      const answer = await student.query({ ...query, after });
      assert.ok([400, 422].includes(answer.status), `${after}: ${answer.status} ${answer.text.slice(0, 200)}`);
      isProblem(answer, answer.status);
    }
    for (const changed of [{ dataset: 'enrolment' }, { order: [{ field: 'score' }] }]) {
      const answer = await student.query({ ...query, ...changed, after: mine });
      assert.ok([400, 422].includes(answer.status), `${JSON.stringify(changed)}: ${answer.status}`);
    }
  });

  test('§2.3.1.a a class mate is as foreign as anybody', async () => {
    const [one, two] = [await world.as('student', 0), await world.as('student', 1)];
    for (const dataset of personal.filter((name) => name !== 'graduation')) {
      const field = dataset === 'student' ? 'number' : 'student';
      for (const where of [{ field, op: 'eq', value: two.account }, { not: { field, op: 'eq', value: one.account } }, { field, op: 'gt', value: one.account }, { field, op: 'in', value: [two.account] }]) {
        const answer = await one.query({ dataset, where });
        if (answer.status === 422) continue; // the operator is none of this field's
        assert.deepEqual(answer.json.rows, [], `${dataset} ${JSON.stringify(where)}`);
      }
    }
    assert.deepEqual(await one.rows({ dataset: 'student', fields: ['number'] }), [[one.account]]);
  });
});
