#include "tests/differential/university.hpp"

#include <boost/json.hpp>

#include <algorithm>

#include "kernel/catalog/condition.hpp"
#include "kernel/catalog/source.hpp"

namespace jw::differential {

using catalog::Catalogue;
using catalog::Condition;
using catalog::Dataset;
using catalog::Field;
using catalog::Type;

namespace {

std::string head(const std::string& name, const std::string& rest) {
  return "name = \"" + name + "\"\nlabel = { zh = \"" + name + "集\", en = \"" + name +
         "\" }\nmodule = \"m\"\nowner = { unit = \"u\", post = \"p\" }\n" + rest + "\n";
}

std::string field(const std::string& name, const std::string& type, const std::string& rest = "") {
  return "[[field]]\nname = \"" + name + "\"\nlabel = { zh = \"" + name + "项\", en = \"" + name + "\" }\ntype = \"" +
         type + "\"\nlevel = 1\n" + rest + "\n";
}

std::string lookup(const std::string& name, const std::string& from, const std::string& rest = "") {
  return "[[lookup]]\nname = \"" + name + "\"\nfrom = \"" + from + "\"\nlabel = { zh = \"" + name + "项\", en = \"" +
         name + "\" }\n" + rest + "\n";
}

std::string mask(const std::string& name) {
  return "mask = \"" + name + "\"";
}

constexpr const char* kAround = R"toml([[relation]]
name = "self"
of = "person"
label = { zh = "本人", en = "self" }
[[relation]]
name = "taught"
of = "section"
label = { zh = "任教", en = "taught" }
from = "section"
select = "id"
where = { all = [ { field = "tutor", is = "me" }, { not = { field = "day", op = "lt", today_minus_years = "years" } } ] }
[[relation]]
name = "led"
of = "unit"
label = { zh = "所属", en = "led" }
from = "tutor"
select = "unit"
where = { all = [ { field = "id", is = "me" }, { any = [ { field = "rank", op = "in", value = ["1", "2"] }, { field = "since", op = "le", today = true } ] } ] }
[[relation]]
name = "advised"
of = "pupil"
label = { zh = "指导", en = "advised" }
from = "section"
select = "monitor"
where = { all = [ { field = "id", in_relation = "taught" }, { not = { field = "size", op = "eq", value = 0 } } ] }
)toml";

catalog::SourceFiles sources(int variant) {
  const auto pick = [variant](std::initializer_list<const char*> each) { return std::string(each.begin()[variant]); };
  catalog::SourceFiles files;
  files["catalog/modules.toml"] = "[[module]]\nname = \"m\"\nlabel = { zh = \"块\", en = \"M\" }\n";
  files["catalog/relations.toml"] = kAround;
  std::string codes = "set = \"K\"\nlabel = { zh = \"类\", en = \"Kind\" }\n";
  for (const char* code : {"0", "1", "2", "3"})
    codes += std::string("[[code]]\ncode = \"") + code + "\"\nname = { zh = \"类" + code + "\", en = \"kind " + code +
             "\" }\n";
  files["catalog/codes/k.toml"] = codes;
  files["catalog/unit.toml"] = head("unit", "key = [\"code\"]\n[relations]\nled = \"id\"") +
                               field("code", "text(8)", "required = true") +
                               field("title", "text(20)", mask("keep_first(1)")) + field("kind", "code(K)") +
                               field("above", "ref(unit)") + lookup("above_kind", "above.kind");
  files["catalog/pupil.toml"] =
      head("pupil",
           "person = true\nabout = \"id\"\ngroup = \"unit\"\nkey = [\"number\"]\norder = [\"name\", "
           "\"-hours\"]\n[relations]\n"
           "self = \"id\"\nled = \"unit\"\nadvised = \"id\"") +
      field("number", "text(8)", "required = true") +
      field("name", "text(20)", mask("surname") + "\nsort = \"pinyin\"") + field("unit", "ref(unit)") +
      field("phone", "text(20)", mask(pick({"phone", "keep_last(2)", "email"}))) + field("born", "date", mask("year")) +
      field("poor", "bool") + field("hours", "int", mask("bucket(2)")) + lookup("unit_title", "unit.title");
  files["catalog/tutor.toml"] =
      head("tutor", "person = true\nabout = \"id\"\nkey = [\"number\"]\n[relations]\nself = \"id\"\nled = \"unit\"") +
      field("number", "text(8)", "required = true") + field("name", "text(20)", "sort = \"pinyin\"") +
      field("unit", "ref(unit)") + field("rank", "code(K)") + field("since", "date");
  files["catalog/section.toml"] =
      head("section",
           "key = [\"code\"]\norder = [\"-day\"]\n[relations]\ntaught = \"id\"\nled = \"unit\"\nself = \"tutor\"") +
      field("code", "text(8)", "required = true") + field("tutor", "ref(tutor)") + field("monitor", "ref(pupil)") +
      field("unit", "ref(unit)") + field("size", "int", mask(pick({"bucket(3)", "none", "bucket(2)"}))) +
      field("day", "date", mask("year")) + field("weeks", "weeks") + lookup("tutor_name", "tutor.name") +
      lookup("monitor_unit", "monitor.unit");
  files["catalog/mark.toml"] =
      head("mark",
           std::string("about = \"pupil\"\nkey = [\"serial\", \"attempt\"]\norder = [\"-score\", \"pupil_name\"]\n") +
               (variant == 1 ? "clustered = true\n" : "") +
               "[relations]\nself = \"pupil\"\ntaught = \"section\"\nled = \"pupil.unit\"\nadvised = \"pupil\"") +
      field("serial", "text(8)", "required = true") + field("attempt", "int", "required = true") +
      field("pupil", "ref(pupil)") + field("section", "ref(section)") +
      field("score", pick({"decimal(1)", "decimal(2)", "int"}),
            mask(pick({"bucket(10)", "bucket(0.5)", "bucket(2)"}))) +
      field("passed", "bool") + field("at", "timestamp") + field("kind", "code(K)") +
      field("note", "text(20)", mask(pick({"keep_last(2)", "email", "id_number"}))) +
      lookup("pupil_name", "pupil.name") + lookup("pupil_unit", "pupil.unit") + lookup("pupil_hours", "pupil.hours") +
      lookup("unit_title", "pupil.unit.title") + lookup("day", "section.day", pick({"", "mask = \"none\"", ""})) +
      lookup("tutor_rank", "section.tutor.rank");
  return files;
}

// Texts that masks, sorting and searching treat each in another way.
const std::vector<std::string> kTexts = {
    "a",  "张三", "b",   "欧阳娜娜",    "ab",           "B",      "é",          "a%b",
    "曾", "单一", "_'x", "13812345678", "010-62751234", "z@e.cn", "zhang@e.cn", "110101200101010018"};

std::string natural_key(const Dataset& dataset, int64_t n) {
  return dataset.name.substr(0, 1) + std::to_string(n);
}

}  // namespace

const Catalogue& test_catalogue(int variant) {
  static const std::vector<Catalogue> all = [] {
    std::vector<Catalogue> made;
    for (int i = 0; i < kCatalogues; ++i) {
      auto loaded = catalog::load_files(sources(i));
      if (auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&loaded))
        throw std::runtime_error(problems->front().print());
      made.push_back(std::get<Catalogue>(std::move(loaded)));
    }
    return made;
  }();
  return all[static_cast<size_t>(variant)];
}

policy::Regulation test_regulation(const Catalogue& catalogue) {
  policy::Regulation regulation;
  regulation.settings.push_back({"years", "2.2.1", 1, 0, 10, {"年", "years"}});
  const auto post = [&](const char* name, const char* from, const char* unit, const char* where) {
    const Dataset& dataset = *catalogue.find(from);
    policy::Post made{name, {name, name}, "2.1.1", dataset.index, {}, unit == nullptr ? -1 : dataset.field(unit),
                      {},   {},           {}};
    auto parsed = catalog::parse_condition(catalogue, dataset, boost::json::parse(where),
                                           catalog::ConditionUse::regulation, "where");
    if (!parsed) throw std::runtime_error(parsed.refusal().detail.en);
    made.where = std::move(parsed).value();
    regulation.posts.push_back(std::move(made));
  };
  post("learner", "pupil", nullptr, R"({"field":"id","is":"me"})");
  post("teacher", "tutor", "unit", R"({"field":"id","is":"me"})");
  post(
      "head", "tutor", "unit",
      R"({"all":[{"field":"id","is":"me"},{"any":[{"field":"rank","op":"ge","value":"2"},{"field":"since","op":"eq","today":true}]}]})");
  // Of nobody else: whoever has it gets no academic data but the own (§4.3.2).
  post("warden", "tutor", nullptr, R"({"all":[{"field":"id","is":"me"},{"field":"rank","op":"eq","value":"1"}]})");
  regulation.posts.back().apart = "administrator";
  return regulation;
}

Value any_value(Dice& dice, const Catalogue& catalogue, const Field& field) {
  switch (field.type) {
    case Type::text:
      if (field.required) return field.name.substr(0, 1) + std::to_string(dice.below(5));
      return dice.of(kTexts);
    case Type::integer:
      return dice.chance(90) ? dice.between(0, 3) : dice.between(-5, 9);
    case Type::decimal:
      return dice.between(0, 3) * (dice.chance(50) ? 5 : 10) - (dice.chance(10) ? 13 : 0);
    case Type::date:
      return std::string(std::vector<const char*>{"2024-02-29", "2025-03-15", "2025-03-16", "2026-03-16",
                                                  "2026-03-17"}[dice.below(5)]);
    case Type::timestamp:
      return int64_t{1773622800000000} + dice.between(-1, 2) * (dice.chance(50) ? 1 : kDay);
    case Type::boolean:
      return dice.between(0, 1);
    case Type::weeks:
      return dice.between(1, 3) * (dice.chance(50) ? 1 : 64);
    case Type::code:
      return std::to_string(dice.below(4));
    case Type::ref:
      return natural_key(catalogue.datasets[static_cast<size_t>(field.ref)], dice.between(1, 5));
  }
  return {};
}

Value any_cell(Dice& dice, const Catalogue& catalogue, const World& world, const Field& field) {
  if (!field.required && dice.chance(25)) return {};
  if (field.type != Type::ref) {
    // Few texts, so that many cells are equal.
    if (field.type == Type::text && dice.chance(70)) return kTexts[dice.below(4)];
    return any_value(dice, catalogue, field);
  }
  const std::vector<Row>& targets = world[static_cast<size_t>(field.ref)];
  return targets.empty() ? Value{} : Value{dice.of(targets).id};
}

std::optional<Row> any_row(Dice& dice, const Catalogue& catalogue, const World& world, const Dataset& dataset) {
  const std::vector<Row>& rows = world[static_cast<size_t>(dataset.index)];
  const auto key = static_cast<size_t>(dataset.key.front());
  Row row;
  if (dataset.person) row.person = dice.between(1, kPersons);
  for (const Field& f : dataset.fields) {
    if (!f.is_lookup()) row.cells.push_back(any_cell(dice, catalogue, world, f));
  }
  for (int64_t n = dice.between(1, 3); n <= 20; ++n) {
    row.cells[key] = natural_key(dataset, n);
    const bool taken =
        std::any_of(rows.begin(), rows.end(), [&](const Row& other) { return other.cells[key] == row.cells[key]; });
    if (!taken) return row;
  }
  return std::nullopt;
}

namespace {

void add_row(Dice& dice, const Catalogue& catalogue, World& world, const Dataset& dataset) {
  std::vector<Row>& rows = world[static_cast<size_t>(dataset.index)];
  Row row = any_row(dice, catalogue, world, dataset).value();
  do row.id = dice.between(1, 60);
  while (std::any_of(rows.begin(), rows.end(), [&](const Row& other) { return other.id == row.id; }));
  rows.push_back(std::move(row));
}

bool is_pointed_to(const Catalogue& catalogue, const World& world, const Dataset& dataset, int64_t id) {
  for (const Dataset& other : catalogue.datasets) {
    for (const Row& row : world[static_cast<size_t>(other.index)]) {
      for (size_t f = 0; f < row.cells.size(); ++f) {
        if (other.fields[f].ref == dataset.index && row.cells[f] == Value{id}) return true;
      }
    }
  }
  return false;
}

}  // namespace

World any_world(Dice& dice, const Catalogue& catalogue) {
  World world(catalogue.datasets.size());
  const bool empty = dice.chance(3);
  for (const auto& [name, most] : {std::pair{"unit", 4}, {"pupil", 6}, {"tutor", 4}, {"section", 5}, {"mark", 12}}) {
    const Dataset& dataset = *catalogue.find(name);
    for (size_t n = empty ? 0 : dice.below(static_cast<size_t>(most) + 1); n > 0; --n)
      add_row(dice, catalogue, world, dataset);
  }
  return world;
}

void disturb(Dice& dice, const Catalogue& catalogue, World& world, int changes) {
  for (; changes > 0; --changes) {
    const Dataset& dataset = dice.of(catalogue.datasets);
    std::vector<Row>& rows = world[static_cast<size_t>(dataset.index)];
    const size_t what = dice.below(10);
    if (what == 0 && rows.size() < 12) {
      add_row(dice, catalogue, world, dataset);
    } else if (!rows.empty()) {
      const size_t at = dice.below(rows.size());
      if (what == 1) {
        if (!is_pointed_to(catalogue, world, dataset, rows[at].id))
          rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(at));
        continue;
      }
      const size_t f = dice.below(rows[at].cells.size());
      if (static_cast<int>(f) == dataset.key.front()) continue;
      rows[at].cells[f] = any_cell(dice, catalogue, world, dataset.fields[f]);
    }
  }
}

std::string print(const Catalogue& catalogue, const World& world) {
  std::string out;
  for (const Dataset& dataset : catalogue.datasets) {
    for (const Row& row : world[static_cast<size_t>(dataset.index)]) {
      out += "  " + dataset.name + " " + std::to_string(row.id);
      if (dataset.person) out += " (person " + std::to_string(row.person) + ")";
      for (size_t f = 0; f < row.cells.size(); ++f) {
        out += " " + dataset.fields[f].name + "=";
        if (dataset.fields[f].ref >= 0 && !std::holds_alternative<std::monostate>(row.cells[f])) {
          out += "#" + std::to_string(std::get<int64_t>(row.cells[f]));
        } else {
          catalog::append_json(out, dataset.fields[f], row.cells[f]);
        }
      }
      out += "\n";
    }
  }
  return out;
}

}  // namespace jw::differential
