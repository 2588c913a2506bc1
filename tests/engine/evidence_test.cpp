// Nothing is done that cannot be proved (§1.3.3, §4.3.2, §6.1.1): a store that was lived in is altered behind the
// system's back, table by table and column by column, and `audit verify` says so each time. What it cannot see is what
// the migrations set aside, and no more; the list stands in docs/evidence.md.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "modules/access/api.hpp"
#include "tests/engine/campus.hpp"

namespace jw::tests {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

Row post(const char* who, const char* what, const char* unit) {
  return {{"staff", who}, {"post", what}, {"unit", unit}, {"begins", "2020-01-01"}};
}

// Rows entered, changed and taken away; people; an application that was granted, with its letters and notices.
void live(Campus& campus) {
  campus.put("term", {{{"code", "2025-2026-2"},
                       {"school_year", "2025-2026"},
                       {"season", "2"},
                       {"begins", "2026-02-23"},
                       {"ends", "2026-07-05"}}});
  campus.put("unit", {{{"code", "jwc"}, {"name", "教务处"}}, {{"code", "cs"}, {"name", "计算机学院"}}});
  std::vector<Row> staff;
  for (const char* number : {"T1", "H1", "O1"})
    staff.push_back({{"number", number}, {"name", number}, {"unit", number[0] == 'O' ? "jwc" : "cs"}, {"state", "11"}});
  campus.put("staff", staff);
  campus.put("post_holding", {post("H1", "department_head", "cs"), post("O1", "academic_office", "jwc")});
  campus.put("staff", {{{"number", "T1"}, {"name", "T1 改名"}, {"unit", "cs"}, {"state", "11"}}});
  std::map<std::string, policy::Asker> people;
  for (const char* who : {"T1", "H1", "O1"}) people[who] = campus.sign_in(who, "staff", who);
  app::System& system = campus.system();
  const auto actor = [&](const char* who) {
    const auto reader = system.store->reader();
    system.policy->refresh(*reader);
    return system.cases->actor(*reader, people.at(who), who, who, system.clock->now());
  };
  const json::object content = json::parse(R"({"dataset":"evaluation","rows":"taught","clear":["student"],"masked":[],
    "actions":["query"],"purpose":"teaching_administration","reason":"学业指导使用","from":"2026-03-16",
    "until":"2026-06-30"})")
                                   .as_object();
  const json::object input{{"content", content}, {"undertaking", 1}};
  const auto opened = system.cases->open(actor("T1"), "access", "draft", input, true);
  ASSERT_TRUE(opened) << opened.refusal().detail.en;
  const auto step = [&](const char* who, const char* action, const json::object& with) {
    const auto taken = system.cases->act(actor(who), opened->number, action, with, true);
    ASSERT_TRUE(taken) << action << ": " << taken.refusal().detail.en;
    EXPECT_TRUE(system.recorder->deliver(taken->outbox));
  };
  step("T1", "submit", input);
  step("H1", "sign", {});
  step("O1", "approve", {{"opinion", "已核实"}});
}

// A store as somebody with the keys of the machine has it in hand.
class Hand {
 public:
  explicit Hand(const app::SystemOptions& options)
      : options_(options),
        catalogue_(app::load_catalogue(options.home)),
        store_(db::Store::open(app::store_options(options))),
        writer_(store_->writer()) {
    // Whoever owns the database can do without its references.
    writer_->script(
        writer_->dialect() == db::Dialect::sqlite
            ? "PRAGMA foreign_keys = OFF"
            : "DO $$ DECLARE it record; BEGIN FOR it IN SELECT conrelid::regclass AS owner, conname FROM pg_constraint "
              "WHERE contype = 'f' LOOP EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', it.owner, it.conname); END "
              "LOOP; END $$");
  }
  db::Connection& operator*() { return *writer_; }
  db::Connection* operator->() { return &*writer_; }

  record::Kept kept() const { return app::kept_of(options_.home, *catalogue_); }
  const catalog::Catalogue& catalogue() const { return *catalogue_; }
  std::vector<std::string> problems() {
    const auto reader = store_->reader();
    std::vector<std::string> found;
    for (const Text& each : record::verify(*reader, kept(), {{}, options_.key_file})) found.push_back(each.en);
    return found;
  }

 private:
  const app::SystemOptions options_;
  std::unique_ptr<catalog::Catalogue> catalogue_;
  std::unique_ptr<db::Store> store_;
  db::Store::Lease writer_;
};

// A value of a row, kept.
struct Cell {
  db::Kind kind = db::Kind::null;
  int64_t integer = 0;
  std::string bytes;

  db::Param param() const {
    switch (kind) {
      case db::Kind::null:
        return {};
      case db::Kind::integer:
        return integer;
      case db::Kind::text:
        return std::string_view(bytes);
      case db::Kind::blob:
        return db::Param::blob(bytes);
    }
    return {};
  }
};
using Cells = std::map<std::string, Cell>;

std::string quoted_name(const std::string& name) {
  return "\"" + name + "\"";
}

// One table, of which a row at a time is altered and put back.
class Altered {
 public:
  Altered(Hand& hand, std::string table)
      : hand_(hand), table_(std::move(table)), shape_(db::table_to_watch(*hand, table_, {})) {
    std::string list;
    for (const std::string& column : shape_.columns) list += (list.empty() ? "" : ", ") + quoted_name(column);
    db::Rows rows = hand_->query("SELECT " + list + " FROM " + quoted_name(table_) + " LIMIT 1");
    if (!rows.next()) return;
    for (size_t i = 0; i < shape_.columns.size(); ++i) {
      Cell& cell = row_[shape_.columns[i]];
      cell.kind = rows.kind(i);
      if (cell.kind == db::Kind::integer) cell.integer = rows.integer(i);
      if (cell.kind == db::Kind::text) cell.bytes = rows.text(i);
      if (cell.kind == db::Kind::blob) cell.bytes = rows.blob(i);
    }
  }

  bool empty() const { return row_.empty(); }
  const std::vector<std::string>& columns() const { return shape_.columns; }
  const std::string& name() const { return table_; }

  // False: the store itself does not take it.
  bool change(const std::string& column, const std::function<void()>& look) {
    Cells other = row_;
    Cell& cell = other[column];
    if (cell.kind == db::Kind::null) {
      cell = new_cell(column, 1);
    } else if (cell.kind == db::Kind::integer) {
      cell.integer += 1;
    } else {
      cell.bytes += cell.kind == db::Kind::text ? std::string("x") : std::string(1, '\0');
    }
    if (!set(column, row_, cell)) {
      if (cell.kind != db::Kind::integer) return false;
      cell.integer += 777'777;  // another row has the next one
      if (!set(column, row_, cell)) return false;
    }
    look();
    EXPECT_TRUE(set(column, other, row_[column]));
    return true;
  }
  bool remove(const std::function<void()>& look) {
    erase(row_);
    look();
    insert(row_);
    return true;
  }
  bool add(const std::function<void()>& look) {
    Cells other = row_;
    for (const std::string& column : shape_.columns) {
      const bool in_key = shape_.key.empty()
                              ? column == "id"
                              : std::find(shape_.key.begin(), shape_.key.end(), column) != shape_.key.end();
      Cell& cell = other[column];
      if (!empty() && !in_key && !is_unique(column)) continue;
      cell = new_cell(column, 777'777);
    }
    try {
      insert(other);
    } catch (const db::Error&) {
      other["id"] = {db::Kind::integer, 1, ""};  // tables of one row
      try {
        insert(other);
      } catch (const db::Error& error) {
        if (error.failure() == db::Failure::check || error.failure() == db::Failure::unique) return false;
        throw;
      }
    }
    look();
    erase(other);
    return true;
  }

 private:
  Cell new_cell(const std::string& column, int64_t number) {
    const std::string type = type_of(column);
    if (type == "TEXT" || type == "text") return {db::Kind::text, 0, std::to_string(number)};
    if (type == "BLOB" || type == "bytea") return {db::Kind::blob, 0, std::to_string(number)};
    return {db::Kind::integer, number, ""};
  }
  bool is_unique(const std::string& column) {
    return column == "number" || column == "version" || column == "code_digest";
  }
  std::string type_of(const std::string& column) {
    db::Rows rows = hand_->dialect() == db::Dialect::sqlite
                        ? hand_->query("SELECT type FROM pragma_table_xinfo($1) WHERE name = $2", {table_, column})
                        : hand_->query(
                              "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = "
                              "to_regclass(quote_ident($1)) AND attname = $2",
                              {table_, column});
    return rows.next() ? std::string(rows.text(0)) : "";
  }
  std::string where(const Cells& row, std::vector<db::Param>& params) {
    std::string text;
    for (const std::string& column : shape_.key.empty() ? shape_.columns : shape_.key) {
      text += (text.empty() ? " WHERE " : " AND ") + quoted_name(column);
      if (row.at(column).kind == db::Kind::null) {
        text += " IS NULL";
        continue;
      }
      params.push_back(row.at(column).param());
      text += " = $" + std::to_string(params.size());
    }
    return text;
  }
  bool set(const std::string& column, const Cells& row, const Cell& value) {
    std::vector<db::Param> params;
    const std::string rows = where(row, params);
    params.push_back(value.param());
    try {
      return hand_->execute("UPDATE " + quoted_name(table_) + " SET " + quoted_name(column) + " = $" +
                                std::to_string(params.size()) + rows,
                            params) == 1;
    } catch (const db::Error& error) {
      if (error.failure() == db::Failure::check || error.failure() == db::Failure::not_null ||
          error.failure() == db::Failure::unique)
        return false;
      throw;
    }
  }
  void erase(const Cells& row) {
    std::vector<db::Param> params;
    const std::string rows = where(row, params);
    EXPECT_EQ(hand_->execute("DELETE FROM " + quoted_name(table_) + rows, params), 1) << table_;
  }
  void insert(const Cells& row) {
    std::string names, places;
    std::vector<db::Param> params;
    for (const std::string& column : shape_.columns) {
      params.push_back(row.at(column).param());
      names += (names.empty() ? "" : ", ") + quoted_name(column);
      places += (places.empty() ? "$" : ", $") + std::to_string(params.size());
    }
    hand_->execute("INSERT INTO " + quoted_name(table_) + " (" + names + ") VALUES (" + places + ")", params);
  }

  Hand& hand_;
  const std::string table_;
  const db::Watch::Table shape_;
  Cells row_;
};

class Evidence : public ::testing::TestWithParam<db::Dialect> {
 protected:
  void SetUp() override {
    if (!TestStore::available(GetParam())) GTEST_SKIP() << "no PostgreSQL: JIAOWU_TEST_PG is empty";
    campus_ = std::make_unique<Campus>(GetParam());
    live(*campus_);
    campus_->close();
  }
  std::unique_ptr<Campus> campus_;
};
JW_ON_BOTH_STORES(Evidence);

// §1.3.3.b §4.3.2.b
TEST_P(Evidence, every_alteration_of_every_kept_table_is_found) {
  Hand hand(campus_->options());
  ASSERT_THAT(hand.problems(), IsEmpty());
  const auto sources = db::migrations_of(campus_->options().home);
  const auto asides = db::asides_of(sources);
  std::set<std::string> unseen, expected;
  size_t looked = 0;
  const auto look = [&](const std::string& what) {
    return [&, what] {
      ++looked;
      if (hand.problems().empty()) unseen.insert(what);
    };
  };
  const auto walk = [&](const std::string& table) {
    Altered altered(hand, table);
    if (!altered.empty()) {
      for (const std::string& column : altered.columns()) altered.change(column, look(table + "." + column));
      altered.remove(look(table + " removed"));
    }
    altered.add(look(table + " added"));
    ASSERT_THAT(hand.problems(), IsEmpty()) << table << " put back";
  };
  for (const std::string& table : db::tables_of(sources)) {
    const auto aside = asides.find(table);
    if (aside != asides.end() && aside->second.whole) continue;
    walk(table);
    if (aside == asides.end()) continue;
    Altered altered(hand, table);
    for (const std::string& column : aside->second.columns) {
      ASSERT_THAT(altered.columns(), Contains(column)) << table << ": is set aside and is not there";
      if (!altered.empty()) expected.insert(table + "." + column);
    }
  }
  for (const std::string table : {"staff", "staff_history", "term", "post_holding"}) walk(table);
  EXPECT_EQ(unseen, expected);
  EXPECT_GT(looked, 200U);
}

// §1.3.3.b
TEST_P(Evidence, a_row_set_back_to_what_it_was_is_found) {
  Hand hand(campus_->options());
  hand->execute(
      "UPDATE \"staff\" SET \"name\" = (SELECT \"name\" FROM \"staff_history\" WHERE \"staff_history\".\"id\" = "
      "\"staff\".\"id\"), \"batch_id\" = (SELECT \"batch_id\" FROM \"staff_history\" WHERE "
      "\"staff_history\".\"id\" = \"staff\".\"id\") WHERE \"id\" IN (SELECT \"id\" FROM \"staff_history\")");
  EXPECT_THAT(hand.problems(), Contains(HasSubstr("of table staff")));
  hand->execute("DELETE FROM \"staff_history\"");
  EXPECT_THAT(hand.problems(), Contains(HasSubstr("of table staff")));
}

// By the signature alone, whatever the leaves say.
TEST_P(Evidence, a_signed_step_that_was_altered_is_found_by_its_signature) {
  Hand hand(campus_->options());
  const std::vector<std::string> keys{crypto::unbase64(campus_->system().cases->public_key()).value()};
  EXPECT_THAT(cases::check_signatures(*hand, keys), IsEmpty());
  const int64_t altered = hand->execute("UPDATE case_step SET opinion = opinion || 'x' WHERE signature <> ''");
  ASSERT_GT(altered, 0);
  EXPECT_EQ(cases::check_signatures(*hand, keys).size(), static_cast<size_t>(altered));
}

// What is not found is told to whoever runs the system.
TEST(EvidenceAside, stands_in_the_docs) {
  std::ifstream in(std::string(JW_SOURCE_DIR) + "/docs/evidence.md");
  std::stringstream text;
  text << in.rdbuf();
  for (const auto& [table, aside] : db::asides_of(db::migrations_of(JW_SOURCE_DIR))) {
    if (aside.whole) {
      EXPECT_THAT(text.str(), HasSubstr("`" + table + "`"));
    }
    for (const std::string& column : aside.columns)
      EXPECT_THAT(text.str(), HasSubstr("`" + table + "." + column + "`"));
  }
}

// Store and record put together from two moments, or two systems.
class Joined : public Evidence {
 protected:
  std::string opening() {
    try {
      campus_->open();
      campus_->close();
      return "";
    } catch (const record::Apart& apart) {
      return apart.text().en;
    }
  }
  int64_t number(const std::string& sql) {
    Hand hand(campus_->options());
    db::Rows rows = hand->query(sql);
    return rows.next() ? rows.integer(0) : 0;
  }
  void change(const std::string& sql) { Hand(campus_->options())->script(sql); }
};
JW_ON_BOTH_STORES(Joined);

TEST_P(Joined, entries_that_never_arrive_are_missed) {
  ASSERT_EQ(opening(), "");
  change("UPDATE record_bond SET turn = turn + 1");
  EXPECT_THAT(opening(), HasSubstr("not on record"));
  EXPECT_THAT(Hand(campus_->options()).problems(), Contains(HasSubstr("not on record")));
  change("UPDATE record_bond SET turn = turn - 2");
  EXPECT_THAT(opening(), HasSubstr("the store is older"));
  EXPECT_THAT(Hand(campus_->options()).problems(), Contains(HasSubstr("the store is older")));
}

TEST_P(Joined, a_record_of_another_store_is_not_taken) {
  change("UPDATE record_bond SET record = 'another'");
  EXPECT_THAT(opening(), HasSubstr("not that of this store"));
  change("DELETE FROM record_bond");
  EXPECT_THAT(opening(), HasSubstr("belongs to another store"));
}

TEST_P(Joined, a_record_that_is_older_or_rewritten_is_not_taken) {
  change("UPDATE record_bond SET size = size + 1");
  EXPECT_THAT(opening(), HasSubstr("the record is older"));
  change("UPDATE record_bond SET size = size - 2");
  EXPECT_THAT(opening(), HasSubstr("rewritten"));
}

TEST_P(Joined, what_does_not_fit_is_adopted_on_record) {
  change("UPDATE record_bond SET turn = turn + 3");
  change("DELETE FROM access_grant");
  ASSERT_NE(opening(), "");
  app::SystemOptions options = campus_->options();
  options.adopt = "restored from Tuesday's backup";
  { const auto system = app::open_system(options); }
  EXPECT_EQ(opening(), "");
  EXPECT_THAT(Hand(campus_->options()).problems(), IsEmpty());
  campus_->open();
  bool told = false;
  for (uint64_t seq = 0; seq < campus_->system().recorder->size(); ++seq) {
    const auto proof = campus_->system().recorder->prove(seq);
    told = told || (proof->entry.action == "record_adopted" &&
                    proof->entry.parameters.find("Tuesday's backup") != std::string::npos);
  }
  EXPECT_TRUE(told);
}

// Files of the embedded store, copied and lost.
class Files : public Joined {};
INSTANTIATE_TEST_SUITE_P(stores, Files, ::testing::Values(db::Dialect::sqlite), store_name);

TEST_P(Files, two_files_are_all_there_is_after_a_clean_stop) {
  const fs::path db = campus_->made().folder() / "store.db";
  for (const char* of : {"", "-record"}) {
    const fs::path log = db.string() + of + "-wal";
    EXPECT_TRUE(!fs::exists(log) || fs::file_size(log) == 0) << log;
  }
}

TEST_P(Files, a_record_that_is_gone_or_empty_or_older_is_not_replaced_by_a_new_one) {
  const std::string record = (campus_->made().folder() / "store.db-record").string();
  fs::copy_file(record, record + ".older");
  campus_->open();
  const auto leaf = campus_->system().recorder->append_and_wait(record::entry_of({}, "query", "query", {}));
  ASSERT_TRUE(leaf);
  campus_->close();
  fs::rename(record, record + ".whole");
  EXPECT_THAT(opening(), HasSubstr("is not there"));
  std::ofstream(record).close();
  EXPECT_THAT(opening(), HasSubstr("is not there"));
  fs::remove(record + "-wal");
  fs::remove(record + "-shm");
  fs::copy_file(record + ".older", record, fs::copy_options::overwrite_existing);
  EXPECT_THAT(opening(), HasSubstr("the record is older"));
  EXPECT_THAT(Hand(campus_->options()).problems(), Contains(HasSubstr("the record is older")));
  fs::rename(record + ".whole", record);
  fs::remove(record + "-wal");
  fs::remove(record + "-shm");
  EXPECT_EQ(opening(), "");
}

TEST_P(Files, a_store_is_made_only_by_who_means_to) {
  app::SystemOptions options = campus_->options();
  options.create = false;
  options.db = "sqlite:" + (campus_->made().folder() / "mistyped.db").string();
  EXPECT_THROW(app::open_system(options), std::runtime_error);
  EXPECT_FALSE(fs::exists(campus_->made().folder() / "mistyped.db"));
}

}  // namespace
}  // namespace jw::tests
