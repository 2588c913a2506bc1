#include <boost/json.hpp>

#include "kernel/catalog/schema.hpp"
#include "kernel/query/api.hpp"
#include "modules/made_up/writing.hpp"

namespace jw::made_up {
namespace {

std::string fact(db::Connection& connection, std::string_view name) {
  db::Rows rows = connection.query("SELECT value FROM store_fact WHERE name = $1", {name});
  return rows.next() ? std::string(rows.text(0)) : std::string();
}

void set_fact(db::Connection& connection, std::string_view name, std::string_view value) {
  connection.execute(
      "INSERT INTO store_fact (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
      {name, value});
}

bool has_rows(const catalog::Catalogue& catalogue, db::Connection& connection) {
  for (const char* table : {"batch", "account", "person"}) {
    if (connection.query(std::string("SELECT 1 FROM ") + table + " LIMIT 1").next()) return true;
  }
  for (const catalog::Dataset& dataset : catalogue.datasets) {
    if (!dataset.by_kernel && connection.query("SELECT 1 FROM " + catalog::table_name(dataset) + " LIMIT 1").next())
      return true;
  }
  return false;
}

// Marks the store as made up before the first row, or says why it must stay as it is.
Result<Done> claim(const catalog::Catalogue& catalogue, db::Store& store, const Options& options) {
  const db::Store::Lease lease = store.writer();
  db::Transaction transaction(*lease, db::Transaction::Mode::write);
  const std::string state = fact(*lease, "made_up_state");
  if (state == "filled") {
    return Refusal{Code::conflict,
                   "made_up.filled",
                   {"这个库已经有虚构的数据（种子 " + fact(*lease, "made_up_seed") + "，学生 " +
                        fact(*lease, "made_up_students") + " 名），没有改动",
                    "the store already holds a made-up university (seed " + fact(*lease, "made_up_seed") + ", " +
                        fact(*lease, "made_up_students") + " students); nothing was changed"}};
  }
  if (state == "filling") {
    return Refusal{Code::conflict,
                   "made_up.unfinished",
                   {"上一次生成虚构数据没有完成：请删除这个库后重新生成",
                    "making the made-up university broke off before: remove the store and make it anew"}};
  }
  if (has_rows(catalogue, *lease)) {
    return Refusal{Code::conflict,
                   "made_up.real_data",
                   {"这个库已有数据，不能填入虚构的数据：请换一个空库",
                    "the store holds data; made-up data goes into an empty store only"}};
  }
  set_fact(*lease, "made_up", "1");
  set_fact(*lease, "made_up_state", "filling");
  set_fact(*lease, "made_up_seed", std::to_string(options.seed));
  set_fact(*lease, "made_up_students", std::to_string(options.students));
  set_fact(*lease, "school_zh", kSchoolZh);
  set_fact(*lease, "school_en", kSchoolEn);
  transaction.commit();
  return Done{};
}

void write_all(Writing& writing, const Progress& progress) {
  const auto tell = [&](Text step) {
    if (progress) progress(step);
  };
  tell({"单位、教师、课程和教学计划", "units, staff, courses and plans"});
  in_batch(writing, "学校结构", [&](change::Batch& batch) {
    write_units(writing, batch);
    write_staff(writing, batch);
    write_courses(writing, batch);
    write_classes(writing, batch);
    write_resources(writing, batch);
  });
  tell({"教学班与课表", "sections and timetable"});
  const Studies studies(writing.world);
  in_batch(writing, "教学安排", [&](change::Batch& batch) { write_sections(writing, batch, studies); });
  Numbers numbers;
  std::vector<Student> keep;
  for (int cohort = 0; cohort < kCohorts; ++cohort) {
    const std::string year = std::to_string(writing.world.base_year + cohort);
    tell({year + " 级学生与成绩", "students and grades, entry of " + year});
    in_batch(writing, year + " 级学生",
             [&](change::Batch& batch) { write_cohort(writing, batch, studies, cohort, numbers, keep); });
  }
  tell({"账号与授权", "accounts and grants"});
  write_sign_ins(writing, keep);
}

namespace json = boost::json;

void append(record::Recorder& recorder, record::Entry entry) {
  if (!recorder.append_and_wait(std::move(entry))) throw std::runtime_error("the record cannot be written");
}

// One question of one reader, with its sign-in, through the engine and into the record.
void read_as(Writing& writing, query::Engine& engine, const std::string& reader, const char* dataset,
             const json::array& numbers) {
  const identity::SignIn entered = writing.identity.enter_made_up(reader, "127.0.0.1", "jiaowu demo");
  record::Entry sign_in;
  sign_in.time = writing.clock.now();
  sign_in.kind = entered.outcome.kind;
  sign_in.account = entered.outcome.account;
  sign_in.person = entered.outcome.person;
  sign_in.session = entered.outcome.session;
  sign_in.decision = entered.outcome.decision;
  append(*writing.recorder, std::move(sign_in));
  if (!entered.result) throw std::logic_error("reader " + reader + ": " + entered.result.refusal().detail.en);
  const identity::Session& session = *entered.result->session;
  const policy::Asker asker{session.account, session.person, session.id, session.kind, session.agreement_due};
  json::array fields;
  fields.emplace_back("number");
  fields.emplace_back("name");
  json::object condition;
  condition["field"] = "number";
  condition["op"] = "in";
  condition["value"] = numbers;
  json::object query;
  query["dataset"] = dataset;
  query["fields"] = fields;
  query["where"] = condition;
  query["limit"] = 200;
  query::Outcome outcome = engine.ask(asker, query);
  append(*writing.recorder, std::move(outcome.entry));
  if (const auto* refusal = std::get_if<Refusal>(&outcome.result))
    throw std::logic_error("first reading: " + refusal->detail.en);
  writing.identity.sign_out(session);
}

// 教务处 looks at the persons of the gallery once, so that each of them finds a line under "who read me" (§1.3.1); a
// colleague looks at the one who looked. Nothing is invented here: these are real queries.
void first_reading(Writing& writing) {
  std::string token_key, gallery;
  {
    const db::Store::Lease lease = writing.store.writer();
    token_key = identity::secret(*lease, "page_token");
    gallery = fact(*lease, "gallery");
  }
  policy::Policy policy(writing.catalogue, writing.regulation, writing.store);
  query::Options options;
  options.token_key = token_key;
  query::Engine engine(writing.catalogue, policy, writing.store, writing.clock, std::move(options));
  json::array staff, students;
  std::vector<std::string> readers;
  const json::value parsed = json::parse(gallery);
  for (const json::value& each : parsed.as_array()) {
    const std::string kind(each.at("kind").as_string());
    if (kind == "academic_office") readers.emplace_back(each.at("account").as_string());
    (identity::is_staff_kind(kind) ? staff : students).push_back(each.at("account"));
  }
  read_as(writing, engine, readers.at(0), "staff", staff);
  read_as(writing, engine, readers.at(0), "student", students);
  json::array first;
  first.emplace_back(readers.at(0));
  read_as(writing, engine, readers.at(1), "staff", first);
}

}  // namespace

Result<Summary> fill(const catalog::Catalogue& catalogue, const policy::Regulation& regulation, db::Store& store,
                     record::Recorder* recorder, const Clock& clock, const Options& options, const Progress& progress) {
  if (options.students < kStudentsMin || options.students > kStudentsMax || options.sign_ins < 0) {
    return Refusal{Code::unprocessable,
                   "made_up.students",
                   {"学生人数应在 " + std::to_string(kStudentsMin) + " 到 " + std::to_string(kStudentsMax) + " 之间",
                    "the number of students must lie between " + std::to_string(kStudentsMin) + " and " +
                        std::to_string(kStudentsMax)}};
  }
  JW_CHECK(claim(catalogue, store, options));
  identity::Options identity_options = identity::Options::for_made_up();
  identity_options.background = false;
  identity::Identity identity(store, clock, identity_options);
  World world(options.students, options.seed, clock.now().date());
  Writing writing{catalogue, regulation, store, recorder, clock, options, identity, world, {}};
  write_all(writing, progress);
  if (recorder != nullptr) first_reading(writing);
  {
    const db::Store::Lease lease = store.writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    set_fact(*lease, "made_up_state", "filled");
    transaction.commit();
    if (store.dialect() == db::Dialect::postgres) lease->script("ANALYZE");  // the first queries come before autovacuum
  }
  return writing.summary;
}

}  // namespace jw::made_up
