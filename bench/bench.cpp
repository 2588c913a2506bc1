// The references beside which the product is measured, in the same run (design §10):
//   bench serve …        the product's server with one more route, /bench/own-grades?person=ID: the same rows by
//   hand-written SQL, without session,
//                        policy or record (never part of the product's own binary)
//   bench sql --db URL   the same SQL without a server, beside the engine's whole work without a server
//   bench store --db URL [--threads N] [--seconds S]   the engine's statement beside hand-written SQL, rows read and
//                        dropped: what governing costs the store, without policy, JSON or record
//   bench bare-sql       the hand-written statement, for pgbench
//   bench plan --db URL  time of a decision and a plan at a shape already seen, with N grants in force
//   bench belt --db URL  what SQLite's authorizer costs a statement, prepared and run
//   bench statistics --db URL   the two groupings of design §10 beside hand-written SQL
#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <iostream>
#include <set>
#include <thread>

#include "app/commands.hpp"
#include "app/system.hpp"
#include "base/json.hpp"
#include "kernel/edge/api.hpp"
#include "kernel/query/plan.hpp"

namespace jw::bench {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kOwnGrades =
    R"({"dataset":"grade","fields":["student","student_name","term","course","course_name","credits","score","points","exam_kind"],"order":[{"field":"term","desc":true},{"field":"course"}]})";

// What somebody would write who knows the tables and guards nothing.
constexpr std::string_view kBare =
    "SELECT s.\"number\", s.\"name\", e.\"code\", c.\"number\", c.\"name\", c.\"credits\", t.\"score\", t.\"points\", "
    "t.\"exam_kind\" FROM \"grade\" t "
    "JOIN \"student\" s ON s.\"id\" = t.\"student\" JOIN \"term\" e ON e.\"id\" = t.\"term\" JOIN \"course\" c ON "
    "c.\"id\" = t.\"course\" "
    "WHERE t.\"student\" IN (SELECT \"id\" FROM \"student\" WHERE \"person_id\" = $1) ORDER BY e.\"code\" DESC NULLS "
    "LAST, c.\"number\" ASC NULLS LAST, t.\"id\" LIMIT 51";

std::string bare_answer(db::Connection& connection, int64_t person, const std::vector<query::Printed>& printed) {
  std::string out = "{\"rows\":[";
  db::Rows rows = connection.query(kBare, {person});
  bool first = true;
  while (rows.next()) {
    out += first ? "[" : ",[";
    first = false;
    for (size_t c = 0; c < printed.size(); ++c) {
      if (c > 0) out += ',';
      query::append_cell(out, rows, c, printed[c]);
    }
    out += ']';
  }
  return out + "]}";
}

std::vector<query::Printed> printed_columns(const catalog::Catalogue& catalogue) {
  const catalog::Dataset& grade = *catalogue.find("grade");
  std::vector<query::Printed> out;
  for (const char* name :
       {"student", "student_name", "term", "course", "course_name", "credits", "score", "points", "exam_kind"}) {
    const catalog::Field& field = grade.fields[static_cast<size_t>(grade.field(name))];
    out.push_back({field.type, field.type == catalog::Type::decimal ? field.size : 0});
  }
  return out;
}

void own_grades(const edge::Call& call) {
  static const std::vector<query::Printed> printed = printed_columns(call.house().catalogue);
  const db::Store::Lease lease = call.house().store.reader();
  call.send({.body = bare_answer(*lease, std::stoll(call.parameter("person")), printed)});
}

const edge::Route kRoutes[] = {{.verb = edge::Verb::get,
                                .path = "/bench/own-grades",
                                .needs = edge::Needs::open("the reference beside which the product is measured"),
                                .run = own_grades,
                                .summary = {"无管控的对照", "the ungoverned reference"}}};

int serve(const edge::Words& words) {
  return app::serve_with(words, kRoutes);
}

std::unique_ptr<app::System> open(const edge::Arguments& arguments) {
  app::SystemOptions options;
  options.db = arguments.required("db");
  options.home = app::find_home(arguments.option("home").value_or(""));
  options.node = "bench";
  return app::open_system(options);
}

// Students that can sign in, each with a session.
std::vector<policy::Asker> students(app::System& system, size_t most) {
  std::vector<std::string> logins;
  {
    const auto lease = system.store->private_reader();
    db::Rows rows = lease->query(
        "SELECT login FROM account WHERE kind = 'student' AND password_hash IS NOT NULL ORDER BY id LIMIT $1",
        {static_cast<int64_t>(most)});
    while (rows.next()) logins.emplace_back(rows.text(0));
  }
  std::vector<policy::Asker> out;
  for (const std::string& login : logins) {
    const identity::SignIn entered = system.identity->enter_made_up(login, "127.0.0.1", "bench");
    if (!entered.result) throw std::runtime_error(entered.result.refusal().detail.en);
    out.push_back(edge::asker_of(*entered.result->session));
  }
  return out;
}

template <class Work>
double median_us(int rounds, int each, const Work& work) {
  std::vector<double> times;
  for (int r = 0; r < rounds; ++r) {
    const auto start = Clock::now();
    for (int i = 0; i < each; ++i) work(i);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count() / each);
  }
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  return times[times.size() / 2];
}

int sql(const edge::Words& words) {
  const edge::Arguments arguments(words, {"db", "home"}, {});
  const auto system = open(arguments);
  const auto askers = students(*system, 500);
  if (askers.empty()) throw std::runtime_error("no student can sign in: make the store with --sign-ins");
  const auto printed = printed_columns(*system->catalogue);
  const boost::json::value request = boost::json::parse(kOwnGrades);
  const auto lease = system->store->reader();
  size_t bytes = 0;
  const auto pick = [&](int i) -> const policy::Asker& { return askers[static_cast<size_t>(i) % askers.size()]; };
  // In turn, so that both see the same machine.
  std::vector<double> bare, governed;
  for (int round = 0; round < 15; ++round) {
    bare.push_back(median_us(1, 1000, [&](int i) { bytes += bare_answer(*lease, pick(i).person, printed).size(); }));
    governed.push_back(median_us(1, 1000, [&](int i) {
      bytes += std::get<query::Answer>(system->engine->ask(pick(i), request).result).json.size();
    }));
  }
  std::sort(bare.begin(), bare.end());
  std::sort(governed.begin(), governed.end());
  std::cout << "{\"bare_us\":" << bare[bare.size() / 2] << ",\"governed_us\":" << governed[governed.size() / 2]
            << ",\"ratio\":" << governed[governed.size() / 2] / bare[bare.size() / 2] << ",\"bytes\":" << bytes
            << "}\n";
  return 0;
}

// What the seat-belt of SQLite costs: the writer has none. Preparing (a text never seen) and running (one seen before).
int belt(const edge::Words& words) {
  const edge::Arguments arguments(words, {"db", "home"}, {});
  const auto system = open(arguments);
  const auto askers = students(*system, 1);
  const auto statement = system->engine->statement(askers.at(0), boost::json::parse(kOwnGrades));
  if (!statement) throw std::runtime_error(statement.refusal().detail.en);
  const std::vector<db::Param> params = statement->params();
  const auto reader = system->store->reader(), writer = system->store->writer();
  int texts = 0;
  const auto new_text = [&] { return statement->sql + " -- " + std::to_string(++texts); };
  const auto read = [](db::Rows rows) {
    while (rows.next()) {
    }
  };
  std::array<std::vector<double>, 4> us;
  for (int round = 0; round < 21; ++round) {
    us[0].push_back(median_us(1, 100, [&](int) { read(writer->query(new_text(), params)); }));
    us[1].push_back(median_us(1, 100, [&](int) { read(reader->query_within(statement->reach, new_text(), params)); }));
    us[2].push_back(median_us(1, 1000, [&](int) { read(writer->query(statement->sql, params)); }));
    us[3].push_back(
        median_us(1, 1000, [&](int) { read(reader->query_within(statement->reach, statement->sql, params)); }));
  }
  for (std::vector<double>& each : us) std::sort(each.begin(), each.end());
  std::cout << "{\"first_us\":" << us[0][10] << ",\"first_belted_us\":" << us[1][10] << ",\"again_us\":" << us[2][10]
            << ",\"again_belted_us\":" << us[3][10] << "}\n";
  return 0;
}

// One statement over and over on `threads` connections for `seconds`: how many a second.
template <class Run>
double per_second(app::System& system, int threads, double seconds, const Run& run) {
  std::atomic<int64_t> done{0};
  std::vector<std::jthread> workers;
  const auto start = Clock::now();
  for (int t = 0; t < threads; ++t)
    workers.emplace_back([&, t] {
      const auto lease = system.store->reader();
      for (size_t i = static_cast<size_t>(t) * 7919;
           std::chrono::duration<double>(Clock::now() - start).count() < seconds; ++i) {
        db::Rows rows = run(*lease, i);
        while (rows.next()) {
        }
        ++done;
      }
    });
  workers.clear();
  return static_cast<double>(done) / std::chrono::duration<double>(Clock::now() - start).count();
}

int store(const edge::Words& words) {
  const edge::Arguments arguments(words, {"db", "home", "threads", "seconds"}, {});
  const auto system = open(arguments);
  const auto askers = students(*system, 500);
  if (askers.empty()) throw std::runtime_error("no student can sign in: make the store with --sign-ins");
  const int threads = std::stoi(arguments.option("threads").value_or("1"));
  const double seconds = std::stod(arguments.option("seconds").value_or("0.4"));
  struct Ready {
    query::Engine::Statement statement;
    std::vector<db::Param> params;
  };
  std::vector<Ready> ready;
  for (const policy::Asker& asker : askers) {
    auto statement = system->engine->statement(asker, boost::json::parse(kOwnGrades));
    if (!statement) throw std::runtime_error(statement.refusal().detail.en);
    std::vector<db::Param> params = statement->params();
    ready.push_back({std::move(*statement), std::move(params)});
  }
  // In turn, so that both see the same machine; the first round warms.
  std::vector<double> bare, governed, ratio;
  for (int round = 0; round < 10; ++round) {
    const double b = per_second(*system, threads, seconds, [&](db::Connection& connection, size_t i) {
      return connection.query(kBare, {askers[i % askers.size()].person});
    });
    const double g = per_second(*system, threads, seconds, [&](db::Connection& connection, size_t i) {
      const Ready& each = ready[i % ready.size()];
      return connection.query_within(each.statement.reach, each.statement.sql, each.params);
    });
    if (round == 0) continue;
    bare.push_back(b);
    governed.push_back(g);
    ratio.push_back(b / g);
  }
  for (auto* each : {&bare, &governed, &ratio}) std::sort(each->begin(), each->end());
  std::cout << "{\"threads\":" << threads << ",\"bare_per_second\":" << bare[bare.size() / 2]
            << ",\"governed_per_second\":" << governed[governed.size() / 2] << ",\"ratio\":" << ratio[ratio.size() / 2]
            << "}\n";
  return 0;
}

int plan(const edge::Words& words) {
  const edge::Arguments arguments(words, {"db", "home"}, {});
  const auto system = open(arguments);
  const auto askers = students(*system, 64);
  const auto query = query::parse(*system->catalogue, boost::json::parse(kOwnGrades));
  int64_t have = 0;
  for (const int64_t grants : {0, 100, 1'000, 10'000}) {
    {
      const auto writer = system->store->writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      for (; have < grants; ++have) {
        policy::Grant grant;
        grant.number = "bench-" + std::to_string(have);
        grant.account = askers[static_cast<size_t>(have) % askers.size()].account + 1'000'000 * (have % 3);
        grant.dataset = "library_holding";
        grant.content = R"({"rows":"all","clear":["*"],"actions":["query"],"purposes":["study"]})";
        grant.from = Instant{0};
        grant.until = Instant{INT64_MAX / 2};
        grant.source = "bench";
        if (!policy::put_grant(*system->catalogue, system->regulation, *writer, grant, system->clock->now()))
          throw std::runtime_error("grant refused");
      }
      transaction.commit();
    }
    {
      const auto reader = system->store->reader();
      system->policy->refresh(*reader);
    }
    for (const policy::Asker& asker : askers) system->engine->plan_only(asker, *query);
    const double us = median_us(
        15, 20'000, [&](int i) { system->engine->plan_only(askers[static_cast<size_t>(i) % askers.size()], *query); });
    std::cout << "{\"grants\":" << grants << ",\"plan_us\":" << us << "}\n";
  }
  return 0;
}

int statistics(const edge::Words& words) {
  const edge::Arguments arguments(words, {"db", "home"}, {});
  const auto system = open(arguments);
  std::string login;
  {
    const auto lease = system->store->private_reader();
    db::Rows rows = lease->query(
        "SELECT login FROM account WHERE kind = 'academic_office' AND password_hash IS NOT NULL ORDER BY id LIMIT 1");
    if (!rows.next()) throw std::runtime_error("no academic office");
    login = rows.text(0);
  }
  const identity::SignIn entered = system->identity->enter_made_up(login, "127.0.0.1", "bench");
  const policy::Asker asker = edge::asker_of(*entered.result->session);
  struct Case {
    const char *name, *query, *bare;
  };
  constexpr Case kCases[] = {
      {"college x term",
       R"({"dataset":"grade","group":["college","term"],"measures":[{"fn":"count"},{"fn":"avg","field":"score"}],"limit":100000})",
       "SELECT s.\"unit\", t.\"term\", COUNT(*), SUM(t.\"score\"), COUNT(t.\"score\") FROM \"grade\" t JOIN "
       "\"student\" s ON s.\"id\" = t.\"student\" GROUP BY 1, 2"},
      {"course x term",
       R"({"dataset":"grade","group":["course","term"],"measures":[{"fn":"count"},{"fn":"avg","field":"score"}],"limit":100000})",
       "SELECT t.\"course\", t.\"term\", COUNT(*), SUM(t.\"score\"), COUNT(t.\"score\") FROM \"grade\" t GROUP BY 1, "
       "2"}};
  const auto lease = system->store->reader();
  for (const Case& each : kCases) {
    int64_t groups = 0;
    const double bare = median_us(3, 1, [&](int) {
      db::Rows rows = lease->query(each.bare);
      groups = 0;
      while (rows.next()) ++groups;
    });
    const double governed = median_us(3, 1, [&](int) {
      const auto outcome = system->engine->ask(asker, boost::json::parse(each.query));
      if (const auto* refusal = std::get_if<Refusal>(&outcome.result)) throw std::runtime_error(refusal->detail.en);
    });
    std::cout << "{\"case\":\"" << each.name << "\",\"groups\":" << groups << ",\"bare_ms\":" << bare / 1000
              << ",\"governed_ms\":" << governed / 1000 << ",\"ratio\":" << governed / bare << "}\n";
  }
  return 0;
}

// Tokens of students for the load generator, one a line.
int tokens(const edge::Words& words) {
  const edge::Arguments arguments(words, {"db", "home"}, {});
  const auto system = open(arguments);
  const auto lease = system->store->private_reader();
  db::Rows rows = lease->query(
      "SELECT login, person_id FROM account WHERE kind = 'student' AND password_hash IS NOT NULL ORDER BY id LIMIT "
      "2000");
  std::vector<std::pair<std::string, int64_t>> found;
  while (rows.next()) found.emplace_back(std::string(rows.text(0)), rows.integer(1));
  for (const auto& [login, person] : found) {
    const identity::SignIn entered = system->identity->enter_made_up(login, "127.0.0.1", "bench");
    if (entered.result) std::cout << entered.result->token << " " << person << "\n";
  }
  return 0;
}

}  // namespace jw::bench

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const std::string command = words.empty() ? "" : words.front();
  const jw::edge::Words rest(words.begin() + (words.empty() ? 0 : 1), words.end());
  try {
    if (command == "serve") return jw::bench::serve(rest);
    if (command == "sql") return jw::bench::sql(rest);
    if (command == "bare-sql") return std::cout << jw::bench::kBare << ";\n", 0;
    if (command == "store") return jw::bench::store(rest);
    if (command == "plan") return jw::bench::plan(rest);
    if (command == "belt") return jw::bench::belt(rest);
    if (command == "statistics") return jw::bench::statistics(rest);
    if (command == "tokens") return jw::bench::tokens(rest);
    std::cerr << "bench serve | sql | store | bare-sql | plan | belt | statistics | tokens --db URL\n";
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "bench " << command << ": " << error.what() << "\n";
    return 1;
  }
}
