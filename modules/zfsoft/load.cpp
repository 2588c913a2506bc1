// From what the file says to the rows of the catalogue: compared with what stands, and only the difference is written.
// A section is known by the source's id and its term; everything else by its natural key.
#include <algorithm>

#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/catalog/schema.hpp"
#include "kernel/identity/api.hpp"
#include "modules/zfsoft/api.hpp"
#include "platform/crypto/api.hpp"

namespace jw::zfsoft {

using catalog::Value;

namespace {

constexpr size_t kEndFew = 20;  // as many end without a question
constexpr size_t kListMost = 300;

bool is_null(const Value& value) {
  return std::holds_alternative<std::monostate>(value);
}

// Names to read, cut after a whole one.
std::string listed(const std::vector<std::string>& names) {
  std::string out;
  const std::string more = " 等 " + std::to_string(names.size()) + " 人";
  for (const std::string& name : names) {
    const std::string longer = out + (out.empty() ? "" : "、") + name;
    const bool last = &name == &names.back();
    if (code_points(longer) + (last ? 0 : code_points(more)) > kListMost) return out + more;
    out = longer;
  }
  return out;
}

class Loader {
 public:
  Loader(const Export& found, const Settled& settled, const Scope& scope, change::Batch& batch)
      : found_(found), settled_(settled), scope_(scope), batch_(batch), catalogue_(batch.catalogue()) {
    imported_.rows = static_cast<int64_t>(found.sources.size());
    imported_.problems = found.problems;
    imported_.problems.insert(imported_.problems.end(), settled.problems.begin(), settled.problems.end());
    for (const auto& [key, count] : found.unmapped)
      told(0, key,
           {"未使用的键，共 " + std::to_string(count) + " 行",
            "a key that nothing uses, in " + std::to_string(count) + " rows"});
  }

  Result<Imported> run() {
    put_terms();
    look_up_sections();
    put_units();
    put_courses();
    put_rooms();
    gather_teachers();
    for (const Section& section : settled_.sections) put_section(section);
    tell_two_places();
    JW_CHECK(end_sections());
    imported_.courses = static_cast<int64_t>(courses_.size());
    imported_.teachers = static_cast<int64_t>(linked_.size());
    keep_sources();
    return std::move(imported_);
  }

 private:
  using Row = std::vector<Value>;

  void told(int64_t row, std::string field, Text text) {
    imported_.problems.push_back({row, std::move(field), std::move(text), false});
  }
  void lost(int64_t row, std::string field, Text text) {
    imported_.problems.push_back({row, std::move(field), std::move(text), true});
  }

  // ---- one row of one dataset

  struct Writing {
    const char* dataset;
    std::string key;            // as people write it
    std::optional<int64_t> id;  // nullopt: a new row
    int64_t row = 0;            // of the file
    int64_t person = 0;
  };

  const catalog::CodeSet& codes_of(const catalog::Field& field) const {
    return catalogue_.code_sets[static_cast<size_t>(field.code_set)];
  }

  // Of a code its name is given; one that is no code is told once and leaves what stands.
  std::optional<Value> stored(const Writing& to, const catalog::Field& field, const Value& given) {
    const auto* text = std::get_if<std::string>(&given);
    if (field.type != catalog::Type::code || text == nullptr) return given;
    const catalog::CodeSet& set = codes_of(field);
    if (set.find(*text) != nullptr) return given;
    for (const catalog::Code& code : set.codes) {
      if (nfkc(code.name.zh) == nfkc(*text)) return Value{code.code};
    }
    if (unknown_codes_.insert(set.name + *text).second)
      told(to.row, std::string(to.dataset) + "." + field.name,
           {"“" + *text + "”不在代码表“" + set.label.zh + "”中，保留原值，没有则留空",
            "“" + *text + "” is not in the code set " + set.label.en + "; what stands is kept, or none"});
    return std::nullopt;
  }

  // Writes what stands with `fixed` and the facts put over it. What the catalogue refuses costs only itself. nullopt:
  // what must be there is not, and there is no row.
  std::optional<int64_t> write(const Writing& to, const Facts& fixed, const Thing& thing) {
    change::Table& table = batch_.table(to.dataset);
    const catalog::Dataset& dataset = table.dataset();
    const Row stood = to.id ? table.row(*to.id).value() : Row(table.width());
    Row values = stood;
    std::set<size_t> movable;
    for (const auto& [name, value] : thing.facts) {
      const auto place = static_cast<size_t>(dataset.field(name));
      if (thing.open.contains(name) && !is_null(stood[place])) continue;
      const auto given = stored(to, dataset.fields[place], value);
      if (!given) continue;
      values[place] = *given;
      movable.insert(place);
    }
    for (const auto& [name, value] : fixed) values[static_cast<size_t>(dataset.field(name))] = value;
    if (!make_fit(to, dataset, stood, values, movable)) return std::nullopt;
    if (!to.id) {
      imported_.changes.push_back({Change::Kind::added, dataset.name, to.key, {}});
      return table.insert(values, to.person);
    }
    if (values == stood) {
      ++imported_.same;
    } else if (table.replace(*to.id, values).put == change::Table::Put::replaced) {
      imported_.changes.push_back({Change::Kind::changed, dataset.name, to.key, difference(dataset, stood, values)});
    }
    return to.id;
  }

  bool make_fit(const Writing& to, const catalog::Dataset& dataset, const Row& stood, Row& values,
                const std::set<size_t>& movable) {
    const int name = dataset.field("name");
    const auto give_name = [&] {  // what must have a name and has none has its key
      if (name < 0 || !dataset.fields[static_cast<size_t>(name)].required) return;
      Value& value = values[static_cast<size_t>(name)];
      if (is_null(value))
        value = utf8(utf32(to.key).substr(0, static_cast<size_t>(dataset.fields[static_cast<size_t>(name)].size)));
    };
    give_name();
    std::vector<FieldProblem> problems = change::check_row(catalogue_, dataset, values);
    for (const FieldProblem& problem : problems) {
      const int field = problem.field.empty() ? -1 : dataset.field(problem.field);
      lost(to.row, dataset.name + "." + problem.field,
           {to.key + "：" + problem.text.zh + "；保留原值，没有则留空",
            to.key + ": " + problem.text.en + "; what stands is kept, or none"});
      if (field >= 0) {
        if (!movable.contains(static_cast<size_t>(field))) return false;
        values[static_cast<size_t>(field)] = stood[static_cast<size_t>(field)];
      }
    }
    if (problems.empty()) return true;
    give_name();
    problems = change::check_row(catalogue_, dataset, values);
    // Facts that do not agree with each other: the later ones of the catalogue give way.
    for (auto place = movable.rbegin(); place != movable.rend() && !problems.empty(); ++place) {
      values[*place] = stood[*place];
      give_name();
      problems = change::check_row(catalogue_, dataset, values);
    }
    return problems.empty();
  }

  std::string shown(const catalog::Field& field, const Value& value) {
    if (is_null(value)) return "—";
    if (field.ref < 0) return catalog::print_value(catalogue_, field, value, true);
    const catalog::Dataset& target = catalogue_.datasets[static_cast<size_t>(field.ref)];
    const auto row = batch_.table(target.name).row(std::get<int64_t>(value));
    const auto key = static_cast<size_t>(target.key.front());
    return row ? catalog::print_value(catalogue_, target.fields[key], (*row)[key], true) : "—";
  }

  Text difference(const catalog::Dataset& dataset, const Row& stood, const Row& values) {
    Text out;
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] == stood[i]) continue;
      const catalog::Field& field = dataset.fields[i];
      const std::string from = shown(field, stood[i]), to = shown(field, values[i]);
      out.zh += (out.zh.empty() ? "" : "；") + field.label.zh + " " + from + " → " + to;
      out.en += (out.en.empty() ? "" : "; ") + field.label.en + " " + from + " → " + to;
    }
    return out;
  }

  void end(const char* dataset, int64_t id, std::string key, Text what) {
    batch_.table(dataset).remove(id);
    imported_.changes.push_back({Change::Kind::ended, dataset, std::move(key), std::move(what)});
  }

  // ---- terms, units, courses, rooms

  void check_term(const std::string& code, int64_t row, int64_t id, int last) {
    const change::Table& table = batch_.table("term");
    const Row term = batch_.table("term").row(id).value();
    const auto of = [&](const char* name) { return term[static_cast<size_t>(table.dataset().field(name))]; };
    told(row, "xqm",
         {"学期 " + code + " 的起止日期导出中没有，用系统中已有的",
          "the export has no dates of term " + code + "; those known already are kept"});
    const auto begins = Date::parse(std::get<std::string>(of("begins"))),
               ends = Date::parse(std::get<std::string>(of("ends")));
    if (begins && begins->weekday() != 1)
      lost(row, "xqm",
           {"学期 " + code + " 的开始日期 " + begins->print() + " 不是星期一，周次都会错位，请改正",
            "term " + code + " begins on " + begins->print() + ", no Monday: all its weeks are shifted; put it right"});
    const int64_t weeks = is_null(of("weeks")) ? (ends->days - begins->days) / 7 + 1 : std::get<int64_t>(of("weeks"));
    if (last > weeks)
      told(row, "zcd",
           {"上课至第 " + std::to_string(last) + " 周，系统中学期 " + code + " 只有 " + std::to_string(weeks) + " 周",
            "meetings run to week " + std::to_string(last) + ", term " + code + " has " + std::to_string(weeks)});
  }

  void put_terms() {
    for (const auto& [code, seen] : settled_.terms) {
      const auto& [row, last] = seen;
      if (const auto known = batch_.table("term").find(code)) {
        terms_[code] = *known;
        check_term(code, row, *known, last);
        continue;
      }
      const int year = std::stoi(code.substr(0, 4));
      const char season = code.back();
      // The export has no dates. The usual ones: autumn from the second Monday of September, spring from the last of
      // February, summer in July; as long as usual, or as its meetings run.
      Date begins = season == '1'   ? Date::from_civil(year, 9, 8)
                    : season == '2' ? Date::from_civil(year + 1, 2, 22)
                                    : Date::from_civil(year + 1, 7, 6);
      while (begins.weekday() != 1) ++begins.days;
      const int usual = season == '3' ? 6 : 19, weeks = std::max(usual, last);
      const Date ends{begins.days + weeks * 7 - 1};
      const std::string run = std::to_string(last);
      told(row, "xqm",
           {"学期 " + code + " 的起止日期导出中没有，暂定 " + begins.print() + " 至 " + ends.print() +
                (weeks > usual ? "（上课至第 " + run + " 周）" : "") + "，请核对",
            "the export has no dates of term " + code + "; " + begins.print() + " to " + ends.print() + " are assumed" +
                (weeks > usual ? " (its meetings run to week " + run + ")" : "") + "; check them"});
      const auto id = write({"term", code, {}, row},
                            {{"code", code},
                             {"school_year", code.substr(0, 9)},
                             {"season", std::string(1, season)},
                             {"begins", begins.print()},
                             {"ends", ends.print()},
                             {"weeks", int64_t{weeks}}},
                            {});
      if (id) terms_[code] = *id;
    }
  }

  // The office names its units; an import names only those that have no more than their code.
  void put_units() {
    for (const auto& [code, thing] : settled_.units) {
      const auto known = batch_.table("unit").find(code);
      if (!thing.facts.contains("name"))
        told(thing.row, "kkxy",
             {"开课单位 " + code + " 缺名称，以代码代替", "unit " + code + " has no name; its code is used"});
      if (known) {
        const change::Table& table = batch_.table("unit");
        const Value name = batch_.table("unit").row(*known)->at(static_cast<size_t>(table.dataset().field("name")));
        if (name == Value{code}) write({"unit", code, known, thing.row}, {}, thing);
        units_[code] = *known;
      } else if (const auto id = write({"unit", code, {}, thing.row}, {{"code", code}}, thing)) {
        units_[code] = *id;
      }
    }
  }

  Value unit_of(const std::string& code) const {
    const auto at = units_.find(code);
    return at == units_.end() ? Value{} : Value{at->second};
  }

  // A number that the catalogue does not take is kept apart under one made from it: "CS 1" is not CS1.
  std::string course_number(const std::string& given, int64_t row) {
    change::Table& table = batch_.table("course");
    const auto place = static_cast<size_t>(table.dataset().field("number"));
    Row probe(table.width());
    probe[place] = given;
    for (const FieldProblem& problem : change::check_row(catalogue_, table.dataset(), probe)) {
      if (problem.field != "number") continue;
      const std::string made = "X-" + crypto::hex(crypto::sha256(given)).substr(0, 12);
      lost(row, "kch",
           {"课程号“" + given + "”：" + problem.text.zh + "；存为 " + made,
            "course number “" + given + "”: " + problem.text.en + "; kept as " + made});
      return made;
    }
    return given;
  }

  void put_courses() {
    for (const auto& [given, found] : settled_.courses) {
      Thing thing = found;
      const std::string number = course_number(given, thing.row);
      if (const auto unit = thing.facts.find("unit"); unit != thing.facts.end()) {
        const Value id = unit_of(std::get<std::string>(unit->second));
        if (is_null(id)) {
          thing.facts.erase(unit);
        } else {
          unit->second = id;
        }
      }
      const auto known = batch_.table("course").find(number);
      if (const auto id = write({"course", number, known, thing.row}, {{"number", number}}, thing))
        courses_[given] = *id;
    }
  }

  void put_rooms() {
    for (const auto& [code, thing] : settled_.rooms) {
      const auto known = batch_.table("room").find(code);
      if (const auto id = write({"room", code, known, thing.row}, {{"code", code}}, thing)) rooms_[code] = *id;
    }
  }

  // ---- teachers

  struct Numbered {
    std::set<std::string> names, units;
  };

  void gather_teachers() {
    for (const Section& section : settled_.sections) {
      for (const Teacher& each : section.teachers) {
        if (each.number.empty()) continue;
        Numbered& at = numbered_[each.number];
        if (!each.name.empty()) at.names.insert(each.name);
        if (units_.contains(section.unit)) at.units.insert(section.unit);
        namesakes_.emplace(section.unit, each.name);
      }
    }
  }

  std::optional<int64_t> by_number(const Teacher& who, int64_t row) {
    change::Table& table = batch_.table("staff");
    const Numbered& at = numbered_.at(who.number);
    std::optional<int64_t> id = table.find(who.number);
    const auto stands = id ? table.row(*id) : std::nullopt;
    const auto of = [&](const char* name) { return stands->at(static_cast<size_t>(table.dataset().field(name))); };
    const bool other =
        stands ? !who.name.empty() && nfkc(std::get<std::string>(of("name"))) != nfkc(who.name) : at.names.size() > 1;
    if (other) {
      const std::string name = stands ? std::get<std::string>(of("name")) : *at.names.begin();
      lost(row, "jsxx",
           {"工号 " + who.number + " 在" + (stands ? "系统中" : "文件中也") + "是“" + name + "”，不是“" + who.name +
                "”，未关联",
            "number " + who.number + " is “" + name + "” " + (stands ? "in the store" : "in the file as well") +
                ", not “" + who.name + "”; not linked"});
      return std::nullopt;
    }
    if (id && of("provisional") != Value{int64_t{1}}) return id;
    if (!id && (at.names.empty() || at.units.empty())) {
      lost(row, "jsxx",
           {"工号 " + who.number + " 不在系统中，又没有姓名或单位，未导入",
            "number " + who.number + " is not known, and there is no name or unit of it; left out"});
      return std::nullopt;
    }
    if (!id) {
      const std::string_view names[] = {*at.names.begin()};
      id = write({"staff", who.number, {}, row, identity::add_persons(batch_.connection(), names, batch_.now())},
                 {{"number", who.number}, {"unit", unit_of(*at.units.begin())}, {"provisional", int64_t{1}}},
                 {{{"name", *at.names.begin()}}, row, {}});
    }
    if (id && provisional_told_.insert(who.number).second)
      told(row, "jsxx",
           {"工号 " + who.number + "（" + who.name + "）待核实",
            "number " + who.number + " is provisional, to be verified"});
    return id;
  }

  // One provisional row for each unit and name; its number is made from both, so that the next import finds it again.
  std::optional<int64_t> by_name(const Teacher& who, const Section& section) {
    if (!units_.contains(section.unit)) {
      lost(section.of.row, "kkbm_id",
           {"教师“" + who.name + "”没有单位，未导入", "teacher “" + who.name + "” has no unit and is left out"});
      return std::nullopt;
    }
    const std::string number = "P-" + crypto::hex(crypto::sha256(section.unit + "\n" + who.name)).substr(0, 12);
    if (namesakes_.contains({section.unit, who.name}) && namesakes_told_.insert(number).second)
      told(section.of.row, "jsxx",
           {"“" + who.name + "”有的行带工号，有的不带：不能断定是一人，分开存放",
            "“" + who.name +
                "” stands with a number in some rows and without in others: kept apart, as nobody can tell whether it "
                "is one person"});
    if (const auto known = batch_.table("staff").find(number)) return known;
    const std::string_view names[] = {who.name};
    return write({"staff", number, {}, section.of.row, identity::add_persons(batch_.connection(), names, batch_.now())},
                 {{"number", number}, {"unit", unit_of(section.unit)}, {"provisional", int64_t{1}}, {"name", who.name}},
                 {});
  }

  // ---- sections

  // A section of this source as it stood before.
  struct Stood {
    int64_t id = 0, course = 0;
    std::string number, unit, state;
  };

  void look_up_sections() {
    for (const auto& [code, term] : terms_) {
      db::Rows rows = batch_.connection().query(
          "SELECT s.\"source_id\", s.\"id\", s.\"course\", s.\"number\", u.\"code\", s.\"state\" FROM \"section\" s "
          "LEFT JOIN "
          "\"unit\" u ON u.\"id\" = s.\"unit\" WHERE s.\"term\" = $1 AND s.\"source_id\" IS NOT NULL ORDER BY s.\"id\"",
          {term});
      while (rows.next()) {
        const std::string state = rows.is_null(5) ? "open" : std::string(rows.text(5));
        stood_[code].try_emplace(
            std::string(rows.text(0)),
            Stood{rows.integer(1), rows.integer(2), std::string(rows.text(3)), std::string(rows.text(4)), state});
      }
    }
  }

  const Stood* stood(const Section& section) {
    const auto& of_term = stood_[section.term];
    const auto at = of_term.find(section.id);
    return at == of_term.end() ? nullptr : &at->second;
  }

  // A number that is somebody else's already gets the id behind it.
  std::string free_number(const Section& section) {
    std::string number = section.number;
    while (batch_.table("section").find(number)) number += "-" + section.id;
    return number;
  }

  // Whether it is for an import to say anything of a section that stands.
  bool is_ours(const Section& section, const Stood& known, int64_t course) {
    if (known.course != course) {
      lost(section.of.row, "jxb_id",
           {"编号 " + section.id + " 已是另一课程的教学班 " + known.number + "，未导入，已有的保持不变",
            "the id " + section.id + " is section " + known.number +
                " of another course already; left out, what stands "
                "is kept"});
      return false;
    }
    if (known.state != "cancelled" || batch_.table("section").kind_of(known.id) == "import") return true;
    told(section.of.row, "jxb_id",
         {"教学班 " + known.number + " 已由教务处停开，保持不变",
          "section " + known.number + " was cancelled by the office and is left as it is"});
    return false;
  }

  void put_section(const Section& section) {
    const auto term = terms_.find(section.term);
    const auto course = courses_.find(section.course);
    if (term == terms_.end() || course == courses_.end())
      return lost(section.of.row, "jxb_id",
                  {"教学班的课程或学期未能导入", "the section's course or term could not be imported"});
    const Stood* known = stood(section);
    if (known != nullptr && !is_ours(section, *known, course->second)) return;
    const std::string number = known != nullptr ? known->number : free_number(section);
    Facts fixed{{"number", number}, {"course", course->second}, {"term", term->second}, {"source_id", section.id}};
    if (const Value unit = unit_of(section.unit); !is_null(unit)) fixed["unit"] = unit;
    std::vector<std::string> names;
    for (const Teacher& each : section.teachers) names.push_back(each.name.empty() ? each.number : each.name);
    const bool list = section.teachers_said && (section.teachers_whole || known == nullptr);
    if (list) fixed["teachers"] = names.empty() ? Value{} : Value{listed(names)};
    Thing thing = section.of;
    thing.open.insert("state");  // what the office says of it stands
    thing.facts["state"] = std::string("open");
    if (known != nullptr && known->state == "cancelled") fixed["state"] = std::string("open");
    const auto id =
        write({"section", number, known ? std::optional(known->id) : std::nullopt, section.of.row}, fixed, thing);
    if (!id) return;
    ++imported_.sections;
    imported_.meetings += section.meetings;
    put_teachers(*id, number, section, known != nullptr);
    put_meetings(*id, number, section, known != nullptr);
  }

  void put_teachers(int64_t section, const std::string& number, const Section& from, bool known) {
    std::map<int64_t, int64_t> stood;  // teacher: row
    if (known) stood = rows_of("section_teacher", "teacher", section);
    bool whole = from.teachers_said && from.teachers_whole;
    std::set<int64_t> placed;
    int64_t ordinal = 0;
    for (const Teacher& each : from.teachers) {
      ++ordinal;
      const auto id = each.number.empty() ? by_name(each, from) : by_number(each, from.of.row);
      whole = whole && id;
      if (!id || !placed.insert(*id).second) continue;
      linked_.insert(*id);
      const bool lead = from.leads.empty() ? ordinal == 1 : from.leads.contains({each.number, each.name});
      Facts fixed{{"section", section}, {"teacher", *id}, {"lead", int64_t{lead}}};
      if (ordinal <= 99) fixed["ordinal"] = ordinal;
      const auto at = stood.find(*id);
      const auto row = at == stood.end() ? std::nullopt : std::optional(at->second);
      write({"section_teacher", number + " " + (each.name.empty() ? each.number : each.name), row, from.of.row}, fixed,
            {});
      if (row) stood.erase(at);
      if (each.number.empty()) watch(*id, each, from);
    }
    if (!whole) return;  // who is not understood may be one of them
    for (const auto& [teacher, row] : stood) end("section_teacher", row, number + " " + staff_name(teacher), {});
  }

  std::string staff_name(int64_t id) {
    change::Table& table = batch_.table("staff");
    const auto row = table.row(id);
    return row ? std::get<std::string>(row->at(static_cast<size_t>(table.dataset().field("name")))) : "";
  }

  // Rows of a section in a dataset, by one of its integers.
  std::map<int64_t, int64_t> rows_of(const char* dataset, const char* by, int64_t section) {
    batch_.table(dataset).flush();
    std::map<int64_t, int64_t> out;
    db::Rows rows = batch_.connection().query(
        "SELECT \"" + std::string(by) + "\", \"id\" FROM \"" + dataset + "\" WHERE \"section\" = $1", {section});
    while (rows.next()) out[rows.integer(0)] = rows.integer(1);
    return out;
  }

  struct Standing {
    int64_t id, ordinal;
  };

  std::optional<Slot> slot_of(const Row& row) {
    const catalog::Dataset& dataset = batch_.table("meeting").dataset();
    const auto number = [&](const char* name) {
      return std::get<int64_t>(row[static_cast<size_t>(dataset.field(name))]);
    };
    const Value& room = row[static_cast<size_t>(dataset.field("room"))];
    Slot slot{static_cast<int>(number("weekday")),
              static_cast<int>(number("first_period")),
              static_cast<int>(number("last_period")),
              number("weeks"),
              {}};
    if (!is_null(room)) slot.room = shown(dataset.fields[static_cast<size_t>(dataset.field("room"))], room);
    return slot;
  }

  void put_meetings(int64_t section, const std::string& number, const Section& from, bool known) {
    std::map<Slot, Standing> stood;
    int64_t last = 0;
    const auto rows = known ? rows_of("meeting", "ordinal", section) : std::map<int64_t, int64_t>{};
    for (const auto& [ordinal, id] : rows) {
      stood[*slot_of(batch_.table("meeting").row(id).value())] = {id, ordinal};
      last = std::max(last, ordinal);
    }
    std::map<Slot, const SlotFacts*> fresh;
    for (const auto& [given, facts] : from.slots) {
      Slot slot = given;
      if (!rooms_.contains(slot.room)) slot.room.clear();
      fresh.emplace(slot, &facts);
    }
    const Meetings of{section, number, from};
    for (auto each = fresh.begin(); each != fresh.end();) {
      const auto at = stood.find(each->first);
      if (at == stood.end()) {
        ++each;
        continue;
      }
      write_meeting(of, each->first, *each->second, at->second.ordinal, at->second.id);
      stood.erase(at);
      each = fresh.erase(each);
    }
    // What moved to another week or room stays the same meeting.
    const bool whole = from.times_whole && settled_.timed;
    for (const auto& [slot, facts] : fresh) {
      const auto moved = std::find_if(stood.begin(), stood.end(), [&](const auto& each) {
        return whole && each.first.weekday == slot.weekday && each.first.first == slot.first;
      });
      if (moved == stood.end()) {
        write_meeting(of, slot, *facts, ++last, std::nullopt);
      } else {
        write_meeting(of, slot, *facts, moved->second.ordinal, moved->second.id);
        stood.erase(moved);
      }
    }
    if (!whole) return;  // a time that is not understood may be one of them
    for (const auto& [slot, standing] : stood) end("meeting", standing.id, number + " " + time_of(slot), {});
  }

  static std::string time_of(const Slot& slot) {
    constexpr const char* kDays[] = {"一", "二", "三", "四", "五", "六", "日"};
    return "星期" + std::string(kDays[slot.weekday - 1]) + "第" + std::to_string(slot.first) + "-" +
           std::to_string(slot.last) + "节{" + catalog::print_weeks(slot.weeks) + "周}" + slot.room;
  }

  struct Meetings {
    int64_t section;
    const std::string& number;
    const Section& from;
  };

  void write_meeting(const Meetings& of, const Slot& slot, const SlotFacts& facts, int64_t ordinal,
                     std::optional<int64_t> id) {
    const auto room = rooms_.find(slot.room);
    Facts fixed{{"section", of.section},
                {"ordinal", ordinal},
                {"weekday", int64_t{slot.weekday}},
                {"first_period", int64_t{slot.first}},
                {"last_period", int64_t{slot.last}},
                {"weeks", slot.weeks},
                {"room", room == rooms_.end() ? Value{} : Value{room->second}}};
    std::vector<std::string> present;  // in the order of the section
    for (const Teacher& each : of.from.teachers) {
      const std::string& name = each.name.empty() ? each.number : each.name;
      if (facts.present.contains(name)) present.push_back(name);
    }
    if (!present.empty()) fixed["teachers"] = listed(present);
    write({"meeting", of.number + " " + time_of(slot), id, facts.row}, fixed, {});
  }

  // ---- namesakes

  // Who is known by name only and is in two places at once may be two people.
  void watch(int64_t staff, const Teacher& who, const Section& section) {
    for (const auto& [slot, facts] : section.slots) {
      const bool there = facts.present.empty() ? section.teachers.size() == 1 : facts.present.contains(who.name);
      if (there && !slot.room.empty()) places_[staff].push_back({&section, &slot, who.name});
    }
  }

  struct Place {
    const Section* section;
    const Slot* slot;
    std::string name;
  };

  void tell_two_places() {
    for (const auto& [staff, places] : places_) {
      const auto tell = [&](const Place& a, const Place& b) {
        const bool same_time = a.slot->weekday == b.slot->weekday && a.slot->first <= b.slot->last &&
                               b.slot->first <= a.slot->last && (a.slot->weeks & b.slot->weeks) != 0;
        if (!same_time || a.slot->room == b.slot->room || a.section == b.section) return false;
        told(std::max(a.section->of.row, b.section->of.row), "jszc",
             {"“" + a.name + "”同一时间在两处上课（" + a.section->number + "、" + b.section->number +
                  "）：可能是同名的两人，请核对",
              "“" + a.name + "” is in two places at once (" + a.section->number + ", " + b.section->number +
                  "): perhaps two people of one name; check"});
        return true;
      };
      bool done = false;
      for (size_t i = 0; i < places.size() && !done; ++i) {
        for (size_t j = 0; j < i && !done; ++j) done = tell(places[i], places[j]);
      }
    }
  }

  // ---- what has ended

  Result<Done> end_sections() {
    std::vector<const Stood*> endings;
    size_t all = 0;
    for (const auto& [term, sections] : stood_) {
      for (const auto& [id, section] : sections) {
        if (section.state != "open" || !scope_.holds(term, section.unit)) continue;
        ++all;
        if (!settled_.named.contains({id, term})) endings.push_back(&section);
      }
    }
    if (!found_.whole) return Done{};
    if (endings.size() > kEndFew && endings.size() * 2 > all && !scope_.stated())
      return Refusal{Code::unprocessable,
                     "import.ends_too_much",
                     {"范围内 " + std::to_string(all) + " 个教学班中有 " + std::to_string(endings.size()) +
                          " 个不在文件中，将被停开。若文件确是完整的，请用 --term 写明学期；什么都没有写入",
                      std::to_string(endings.size()) + " of " + std::to_string(all) +
                          " sections of the scope are not in the file and would end. If the file is whole, state the "
                          "term with --term; nothing was written"}};
    for (const Stood* each : endings) end_section(*each);
    return Done{};
  }

  // How many rows of other datasets hang on a section: enrolments apart, they are its history.
  int64_t hanging(int64_t section, bool enrolments) {
    const int of = catalogue_.find("section")->index;
    int64_t count = 0;
    for (const catalog::Dataset& dataset : catalogue_.datasets) {
      if (dataset.name == "meeting" || dataset.name == "section_teacher" || (dataset.name == "enrolment") != enrolments)
        continue;
      for (const catalog::Field& field : dataset.fields) {
        if (field.is_lookup() || field.ref != of) continue;
        db::Rows rows =
            batch_.connection().query("SELECT CAST(COUNT(*) AS BIGINT) FROM " + catalog::table_name(dataset) +
                                          " WHERE " + catalog::column_name(field) + " = $1",
                                      {section});
        if (rows.next()) count += rows.integer(0);
      }
    }
    return count;
  }

  // Nothing that grades hang on is taken away: such a section is finished, with its teachers and times. One that was
  // never taught is cancelled, and nobody teaches it any more; older versions stay in the history.
  void end_section(const Stood& each) {
    change::Table& table = batch_.table("section");
    const int64_t history = hanging(each.id, false), enrolled = hanging(each.id, true);
    Row values = table.row(each.id).value();
    values[static_cast<size_t>(table.dataset().field("state"))] = std::string(history > 0 ? "finished" : "cancelled");
    table.replace(each.id, values);
    const std::string kept = std::to_string(history), students = std::to_string(enrolled);
    Text what = history > 0
                    ? Text{"结课：成绩等 " + kept + " 条保留", "finished: " + kept + " rows such as grades stay"}
                    : Text{"停开", "cancelled"};
    if (enrolled > 0)
      what = {what.zh + "，选课 " + students + " 条保留", what.en + ", " + students + " enrolments stay"};
    imported_.changes.push_back({Change::Kind::ended, "section", each.number, std::move(what)});
    if (history > 0) return;
    for (const auto& [teacher, row] : rows_of("section_teacher", "teacher", each.id))
      end("section_teacher", row, each.number + " " + staff_name(teacher), {});
    for (const auto& [ordinal, row] : rows_of("meeting", "ordinal", each.id))
      end("meeting", row, each.number + " " + time_of(*slot_of(batch_.table("meeting").row(row).value())), {});
  }

  void keep_sources() {
    std::map<int64_t, std::string> by_row;
    for (const Problem& problem : imported_.problems) {
      std::string& out = by_row[problem.row];
      out += out.empty() ? "[" : ",";
      JsonWriter(out).object().field("field", problem.field).field("text", problem.text).end_object();
    }
    for (size_t i = 0; i < found_.sources.size(); ++i) {
      const auto at = by_row.find(static_cast<int64_t>(i) + 1);
      batch_.keep_source(static_cast<int64_t>(i) + 1, found_.sources[i], at == by_row.end() ? "[]" : at->second + "]");
    }
  }

  const Export& found_;
  const Settled& settled_;
  const Scope& scope_;
  change::Batch& batch_;
  const catalog::Catalogue& catalogue_;
  Imported imported_;
  std::map<std::string, int64_t> terms_, units_, courses_, rooms_;
  std::map<std::string, std::map<std::string, Stood>> stood_;  // by term and id of the source
  std::map<std::string, Numbered> numbered_;
  std::set<std::pair<std::string, std::string>> namesakes_;  // unit, name of those with a number
  std::set<std::string> unknown_codes_, provisional_told_, namesakes_told_;
  std::map<int64_t, std::vector<Place>> places_;  // of staff known by name only
  std::set<int64_t> linked_;
};

}  // namespace

bool Scope::holds(const std::string& term, const std::string& unit) const {
  if (!terms.empty() && !terms.contains(term)) return false;
  if (!units.empty()) return units.contains(unit);
  return !terms.empty() || pairs.contains({term, unit});
}

std::string Scope::print() const {
  std::map<std::string, std::string> by_term;
  for (const auto& [term, unit] : pairs) {
    if (!holds(term, unit)) continue;
    std::string& list = by_term[term];
    if (!unit.empty() && (terms.empty() || !units.empty())) list += (list.empty() ? ": " : ",") + unit;
  }
  std::string out;
  for (const auto& [term, list] : by_term) out += (out.empty() ? "" : "; ") + term + list;
  return out;
}

Result<Scope> scope_of(const Settled& settled, std::set<std::string> terms, std::set<std::string> units) {
  Scope scope;
  for (const Section& section : settled.sections) scope.pairs.emplace(section.term, section.unit);
  const auto absent = [&](const std::set<std::string>& stated, const auto& of) -> std::optional<std::string> {
    for (const std::string& each : stated) {
      if (std::none_of(scope.pairs.begin(), scope.pairs.end(), [&](const auto& pair) { return of(pair) == each; }))
        return each;
    }
    return std::nullopt;
  };
  auto wrong = absent(terms, [](const auto& pair) { return pair.first; });
  if (!wrong) wrong = absent(units, [](const auto& pair) { return pair.second; });
  if (wrong)
    return Refusal{Code::unprocessable,
                   "import.scope",
                   {"文件中没有 “" + *wrong + "” 的教学班：学期写作 2025-2026-1，单位写代码",
                    "the file has no section of “" + *wrong + "”: write a term as 2025-2026-1, a unit by its code"}};
  scope.terms = std::move(terms);
  scope.units = std::move(units);
  return scope;
}

Result<Imported> load(const Export& found, const Settled& settled, const Scope& scope, change::Batch& batch) {
  return Loader(found, settled, scope, batch).run();
}

}  // namespace jw::zfsoft
