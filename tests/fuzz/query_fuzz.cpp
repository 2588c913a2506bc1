// The query language on any bytes, through the whole engine to the store: refused with words, or answered with JSON.
// The store never has to refuse a statement (a bug), and no text of a question stands in the text of its statement.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <boost/json.hpp>

#include "kernel/catalog/schema.hpp"
#include "kernel/query/api.hpp"
#include "tests/support/catalogue.hpp"

namespace {

using namespace jw;
namespace json = boost::json;

constexpr const char* kPlanted = "Zq7x";  // stands for every text of a question that is long enough to be told apart

struct FixedClock final : Clock {
  Instant now() const override { return {1'773'622'800'000'000}; }
};

// A store with one pupil and one mark, and one account that may see everything of marks; gone with the process.
struct School {
  std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("jiaowu_query_fuzz_" + std::to_string(::getpid()));
  catalog::Catalogue data = tests::loaded(tests::kSmallCatalogue);
  FixedClock clock;
  std::unique_ptr<db::Store> store;
  std::unique_ptr<policy::Policy> policy;
  std::unique_ptr<query::Engine> engine;
  policy::Asker asker{1, 1, 1, "student", false};

  School() {
    std::filesystem::create_directories(folder);
    db::Options options;
    options.url = "sqlite:" + (folder / "store.db").string();
    options.create = true;
    store = db::Store::open(options);
    {
      const auto writer = store->writer();
      db::migrate(*writer, db::migrations_of(JW_SOURCE_DIR));
      if (!catalog::apply_schema(data, *writer, false)) std::abort();
      writer->script(
          "INSERT INTO account (id, login, kind, display_name, created_us) VALUES (1, 'a', 'student', 'a', 0);"
          "INSERT INTO session (id, token_digest, account, created_us, expires_us, idle_until_us, remote, "
          "user_agent_digest) VALUES (1, x'00', 1, 0, 9000000000000000, 9000000000000000, 'r', x'00');"
          "INSERT INTO pupil (id, person_id, number, batch_id, since_us) VALUES (1, 1, 'A', 0, 0);"
          "INSERT INTO mark (id, pupil, name, count, batch_id, since_us) VALUES (1, 1, '张三', 7, 0, 0)");
      policy::Grant grant;
      grant.number = "1";
      grant.account = 1;
      grant.dataset = "mark";
      grant.content = R"({"rows":"all","clear":["*"],"actions":["query","detail","statistics"],"purposes":["study"]})";
      grant.until = {4'102'444'800'000'000};
      grant.source = "2.4.1";
      if (!policy::put_grant(data, {}, *writer, grant, clock.now())) std::abort();
    }
    policy = std::make_unique<policy::Policy>(data, policy::Regulation{}, *store);
    query::Options how;
    how.token_key = std::string(32, 'k');
    engine = std::make_unique<query::Engine>(data, *policy, *store, clock, how);
  }
  ~School() {
    engine.reset();
    policy.reset();
    store.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
};

// Every value of a condition that is a text becomes one that is found again.
void plant(json::value& node) {
  if (json::array* items = node.if_array()) {
    for (json::value& item : *items) plant(item);
  } else if (json::object* object = node.if_object()) {
    for (auto& member : *object) {
      json::value* value = &member.value();
      if (member.key() == "value" && value->is_string()) {
        *value = std::string(kPlanted) + std::string(value->get_string());
      } else {
        plant(*value);
      }
    }
  }
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static School school;
  boost::system::error_code error;
  json::value request = json::parse({reinterpret_cast<const char*>(data), size}, error);
  if (error) return 0;
  const query::Outcome outcome = school.engine->ask(school.asker, request);
  if (const auto* refusal = std::get_if<Refusal>(&outcome.result)) {
    require(!refusal->type.empty() && !refusal->detail.zh.empty() && !refusal->detail.en.empty(),
            "a refusal without words");
    require(refusal->code != Code::unavailable && refusal->code != Code::internal, "the store refused a statement");
  } else {
    json::parse(std::get<query::Answer>(outcome.result).json + "}", error);
    require(!error, "an answer that is no JSON");
  }
  plant(request);
  const auto statement = school.engine->statement(school.asker, request);
  require(!statement || statement->sql.find(kPlanted) == std::string::npos,
          "a value stands in the text of a statement");
  return 0;
}
