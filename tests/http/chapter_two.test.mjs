// Chapter 2 over HTTP: who sees which data by default, with the clause, and how everybody else is told (§2.1.1–§2.3.2).
// golden/permissions.json is the table of docs/permissions.md by post, read against docs/regulation.md by hand.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { isProblem, isText } from './checks.mjs';
import { forEachStore, kinds } from './support.mjs';

const golden = JSON.parse(await readFile(new URL('golden/permissions.json', import.meta.url), 'utf8'));
const everything = ['term', 'unit', 'post_holding', 'student', 'staff', 'major', 'class', 'course', 'plan', 'plan_course', 'section', 'section_teacher', 'room', 'meeting',
  'enrolment', 'progress', 'grade', 'status_change', 'award', 'discipline', 'attendance', 'payment', 'tuition', 'evaluation', 'warning', 'research_result', 'housing',
  'library_holding', 'online_course', 'graduation', 'access_log'];

// Dataset → sorted clauses that somebody with these posts and grants rests on.
function expected(posts, granted) {
  const clauses = {};
  const add = (clause, names) => names.forEach((name) => (clauses[name] ??= new Set()).add(clause));
  for (const post of posts) Object.entries(golden.posts[post]).forEach(([clause, names]) => add(clause, names));
  Object.entries(granted).forEach(([clause, names]) => add(clause, names));
  return Object.fromEntries(Object.entries(clauses).sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, set]) => [name, [...set].sort()]));
}

forEachStore('default permissions', (world) => {
  // Exactly the datasets of the regulation with their clauses, on every account of the kind; and the home screen has just these.
  const offered = (kind) => async () => {
    assert.ok(world.accountsOf(kind).length >= 2, 'several of each kind');
    for (let nth = 0; nth < world.accountsOf(kind).length; nth += 1) {
      const person = await world.as(kind, nth);
      const me = (await person.get('/api/me')).json;
      const posts = me.posts.map((post) => post.name).sort();
      if (nth === 0) assert.deepEqual(posts, golden.kinds[kind].posts);
      for (const post of golden.kinds[kind].posts) assert.ok(posts.includes(post), `${person.account} holds no post ${post}`);
      const { datasets } = (await person.get('/api/datasets')).json;
      const seen = Object.fromEntries(datasets.map((each) => [each.name, [...new Set(each.basis.map((basis) => basis.clause))].sort()]).sort(([a], [b]) => (a < b ? -1 : 1)));
      assert.deepEqual(seen, expected(posts, golden.kinds[kind].granted), `${person.account} with ${posts}`);
      const shown = me.modules.flatMap((module) => module.datasets.map((each) => each.name)).sort();
      assert.deepEqual(shown, Object.keys(seen), '§3.1.2 the home screen has just these');
      for (const each of datasets) assert.ok(isText(each.label) && each.basis.every((basis) => isText(basis.text)) && each.actions.includes('query'));
      const statistics = datasets.some((each) => each.actions.includes('statistics'));
      assert.equal(statistics, !['student', 'graduate', 'graduate_expired', 'system_admin', 'security_admin', 'audit_admin'].includes(kind), '§3.2.1');
    }
  };

  // Rows in every dataset the kind may query, 403 with the way to ask everywhere else.
  const answered = (kind) => async () => {
    const people = await Promise.all(world.accountsOf(kind).map((_, nth) => world.as(kind, nth)));
    const { posts, granted } = golden.kinds[kind];
    const open = expected(posts, granted);
    const grantedNames = Object.values(granted).flat();
    const office = await world.as('academic_office');
    for (const dataset of everything) {
      if (open[dataset]) {
        const purpose = grantedNames.includes(dataset) ? { purpose: await purposeOf(people[0], dataset) } : {};
        // The first of each kind has something to see everywhere; the others may, and are answered.
        assert.ok((await people[0].rows({ dataset, limit: 3, ...purpose })).length > 0, `${kind} has no rows of ${dataset}`);
        await Promise.all(people.slice(1).map((person) => person.rows({ dataset, limit: 3, ...purpose })));
      } else {
        const refused = isProblem(await people[0].query({ dataset }), 403);
        assert.equal(refused.type, 'policy.no_permit', dataset);
        assert.ok(refused.remedy && refused.record, dataset);
        assert.equal(refused.remedy.prefill.dataset, dataset);
        // Of a reading the number among its persons is nobody's to see: no row of it can be named.
        if (dataset !== 'access_log') isProblem(await people[0].get(`/api/datasets/${dataset}/${await someKey(office, dataset)}`), 403);
        const described = isProblem(await people[0].get(`/api/datasets/${dataset}`), 403);
        assert.ok(described.remedy, dataset);
        isProblem(await people[0].post('/api/documents', { query: { dataset }, format: 'csv', purpose: 'study' }), 403);
      }
    }
    isProblem(await people[0].query({ dataset: 'club' }), 404);
  };

  for (const kind of kinds) test(`${kind}: exactly the datasets of the regulation, with their clauses`, offered(kind));

  test('§2.1.1.a academic_office: rows in every academic dataset', answered('academic_office'));
  test('§2.1.2.a student_office: rows of students, their changes, awards and discipline; 403 with the way to ask elsewhere', answered('student_office'));
  test('§2.1.3.a finance_office: rows of payments and tuition; 403 with the way to ask elsewhere', answered('finance_office'));
  test('§2.1.4.a §2.1.4.b research_office: research results by its grant, and nothing else', answered('research_office'));
  test('§2.1.4.a §2.1.4.b logistics_office: housing by its grant, and nothing else', answered('logistics_office'));
  for (const kind of kinds.filter((one) => !one.endsWith('_office'))) {
    test(`${kind}: rows in every dataset the kind may query, 403 with the way to ask elsewhere`, answered(kind));
  }

  test('§2.1.2.a §2.1.3.a the student office and the finance office have all rows of theirs, as 教务处 has', async () => {
    const office = await world.as('academic_office');
    for (const [kind, datasets] of [['student_office', ['student', 'status_change', 'award', 'discipline']], ['finance_office', ['payment', 'tuition']]]) {
      for (const dataset of datasets) {
        const fields = (await office.get(`/api/datasets/${dataset}`)).json.key;
        const [all, seen] = await Promise.all([office, await world.as(kind)].map((person) => person.all({ dataset, fields, limit: 1000 })));
        assert.deepEqual(seen.map(String).sort(), all.map(String).sort(), dataset);
      }
    }
  });

  test('§2.3.2.a a graduate after the period gets nothing but the explanation', async () => {
    for (let nth = 0; nth < 4; nth += 1) {
      const graduate = await world.as('graduate_expired', nth);
      const me = (await graduate.get('/api/me')).json;
      assert.deepEqual(me.modules, []);
      assert.ok(isText(me.posts[0].refusal));
      for (const dataset of ['grade', 'graduation', 'student', 'access_log']) {
        const refused = isProblem(await graduate.query({ dataset }), 403);
        assert.match(refused.detail.zh, /期限已过.*(档案馆|窗口)/);
        assert.match(refused.detail.en, /period.*over/);
        assert.equal(refused.remedy.clause, '2.3.2');
      }
    }
  });

  test('§2.3.2.a a graduate within the period has own grades and certificates, nothing else', async () => {
    const graduate = await world.as('graduate');
    const [diploma] = await graduate.rows({ dataset: 'graduation', fields: ['student', 'certificate_number'] });
    assert.equal(diploma[0], graduate.account);
    assert.ok(diploma[1]);
    const grades = await graduate.all({ dataset: 'grade', fields: ['student'], limit: 500 });
    assert.ok(grades.length > 0 && grades.every(([student]) => student === graduate.account));
  });

  test('§2.1.3.a finance is refused on grades in words that help', async () => {
    const finance = await world.as('finance_office');
    const refused = isProblem(await finance.query({ dataset: 'grade', fields: ['score'] }), 403);
    assert.match(refused.detail.zh, /财务处.*成绩/);
    assert.match(refused.detail.en, /finance/i);
    assert.equal(refused.remedy.clause, '2.4.1');
    assert.equal(refused.remedy.kind, 'access');
    assert.match(refused.remedy.text.zh, /申请表/);
    for (const key of ['2024010001', 'a~b~c~d~e~f', '~~~'])
      assert.equal(isProblem(await finance.get(`/api/datasets/grade/${key}`), 403).type, refused.type, 'whatever the key');
    assert.ok((await finance.rows({ dataset: 'payment' })).length > 0);
  });

  test('§2.2.1.c a teacher asks about evaluation scores only with approval', async () => {
    const teacher = await world.as('teacher');
    for (const dataset of ['evaluation', 'warning', 'student', 'payment']) isProblem(await teacher.query({ dataset }), 403);
  });

  test('§2.2.2.a an adviser sees masked identity numbers and no guardian, and is told why', async () => {
    const adviser = await world.as('class_adviser');
    const answer = (await adviser.query({ dataset: 'student', fields: ['number', 'name', 'id_number'], limit: 5 })).json;
    assert.ok(answer.rows.length > 0);
    assert.equal(answer.hidden.fields.id_number.sight, 'masked');
    assert.ok(isText(answer.hidden.fields.id_number.reason));
    for (const [, , masked] of answer.rows) if (masked !== null) assert.match(masked, /\*.*.{4}$/u);
    const refused = isProblem(await adviser.query({ dataset: 'student', fields: ['guardian_phone'] }), 403);
    assert.equal(refused.type, 'policy.field_closed');
    assert.ok(refused.remedy.prefill.fields.includes('guardian_phone'));
    // A mask is not a way to ask: in a condition the cell is unknown.
    const office = await world.as('academic_office');
    const [[secret]] = await office.rows({ dataset: 'student', fields: ['id_number'], where: { field: 'number', op: 'eq', value: answer.rows[0][0] } });
    for (const op of ['eq', 'starts', 'contains', 'ge', 'le', 'ne']) {
      const guess = await adviser.query({ dataset: 'student', fields: ['number'], where: { field: 'id_number', op, value: secret } });
      if (guess.status === 200) assert.deepEqual(guess.json.rows, [], op);
      else assert.ok([403, 422].includes(guess.status), `${op}: ${guess.status}`);
    }
  });

  test('§3.2.1.a statistics are an action of their own: a student is led elsewhere', async () => {
    const refused = isProblem(await (await world.as('student')).query({ dataset: 'grade', measures: [{ fn: 'avg', field: 'score' }] }), 403);
    assert.equal(refused.type, 'policy.action_closed');
    assert.ok(refused.remedy);
    const rows = await (await world.as('academic_office')).rows({ dataset: 'grade', group: ['term'], measures: [{ fn: 'count' }, { fn: 'avg', field: 'score' }] });
    assert.ok(rows.length > 1 && rows.every(([, count, mean]) => count > 0 && (mean === null || (mean > 0 && mean <= 100))));
  });

  test('no statistic is cut without saying so: how many groups there are, and the way to the next ones', async () => {
    const office = await world.as('academic_office');
    const question = { dataset: 'grade', group: ['course'], measures: [{ fn: 'count' }], order: [{ field: 'count', desc: true }], limit: 7 };
    const seen = [];
    for (let after = null, groups; ; ) {
      const page = (await office.query({ ...question, after })).json;
      groups ??= page.groups;
      assert.equal(page.groups, groups);
      assert.ok(page.rows.length <= 7);
      seen.push(...page.rows);
      if (page.next === null) {
        assert.equal(seen.length, groups);
        break;
      }
      assert.equal(page.rows.length, 7);
      after = page.next;
    }
    assert.ok(seen.length > 14, `${seen.length} courses`);
    assert.equal(new Set(seen.map(([course]) => course)).size, seen.length, 'no group twice');
    assert.deepEqual(seen, seen.toSorted(([, a], [, b]) => b - a), 'in the order asked for, over all pages');
    const stolen = isProblem(await office.query({ ...question, order: [{ field: 'count' }], after: (await office.query(question)).json.next }), 422);
    assert.equal(stolen.type, 'query.bad_token');
  });

  test('§2.1.4.b a grant asks for its purpose, and says which', async () => {
    const research = await world.as('research_office');
    const refused = isProblem(await research.query({ dataset: 'research_result' }), 403);
    assert.equal(refused.type, 'policy.purpose_required');
    const answer = (await research.query({ dataset: 'research_result', purpose: await purposeOf(research, 'research_result') })).json;
    assert.ok(answer.rows.length > 0);
    assert.match(answer.scope.basis[0].grant, /^\d{4}-\d+$/);
    assert.ok(Date.parse(answer.scope.basis[0].until) > Date.now());
  });
});

// The key of a row that there is.
async function someKey(office, dataset) {
  const { key } = (await office.get(`/api/datasets/${dataset}`)).json;
  const [row] = await office.rows({ dataset, fields: key, limit: 1 });
  return row.map((part) => encodeURIComponent(part)).join('~');
}

async function purposeOf(person, dataset) {
  return (await person.get(`/api/datasets/${dataset}`)).json.purposes[0];
}
