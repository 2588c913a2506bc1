// From what was understood to rows of the catalogue, by natural keys, so that a second run changes nothing.
#include <algorithm>
#include <set>

#include "base/json.hpp"
#include "kernel/identity/api.hpp"
#include "modules/zfsoft/api.hpp"
#include "platform/crypto/api.hpp"

namespace jw::zfsoft {

using catalog::Value;

namespace {

using Given = std::vector<std::pair<std::string_view, Value>>;

Value text_or_null(const std::string& text) {
  return text.empty() ? Value{} : Value{text};
}
Value number_or_null(int64_t number) {
  return number < 0 ? Value{} : Value{number};
}

class Loader {
 public:
  Loader(const Export& found, change::Batch& batch) : found_(found), batch_(batch) {
    imported_.rows = static_cast<int64_t>(found.sources.size());
    imported_.problems = found.problems;
    for (const auto& [key, count] : found.unmapped) {
      note(0, key,
           {"未使用的键，共 " + std::to_string(count) + " 行",
            "a key that nothing uses, in " + std::to_string(count) + " rows"});
    }
  }

  Imported run() {
    for (const Meeting& m : found_.meetings) {
      sections_[m.section_id].push_back(&m);
      courses_.try_emplace(m.course, &m);
    }
    put_terms();
    put_units();
    put_courses();
    put_rooms();
    put_sections();
    imported_.sections = static_cast<int64_t>(sections_.size());
    imported_.courses = static_cast<int64_t>(courses_.size());
    imported_.teachers = static_cast<int64_t>(staff_.size());
    imported_.meetings = static_cast<int64_t>(found_.meetings.size()) - repeated_;
    keep_sources();
    imported_.counts = batch_.counts();
    return std::move(imported_);
  }

 private:
  void note(int64_t row, std::string_view field, Text text) {
    imported_.problems.push_back({row, std::string(field), std::move(text)});
  }

  // Puts a row when it passes the catalogue's checks; nullopt and a problem otherwise.
  std::optional<int64_t> put(const char* dataset, const Given& given, int64_t source, int64_t person = 0) {
    change::Table& table = batch_.table(dataset);
    std::vector<Value> values(table.width());
    for (const auto& [name, value] : given) values.at(static_cast<size_t>(table.dataset().field(name))) = value;
    const auto problems = change::check_row(batch_.catalogue(), table.dataset(), values);
    for (const FieldProblem& problem : problems) {
      note(source, std::string(dataset) + "." + problem.field, problem.text);
    }
    if (!problems.empty()) return std::nullopt;
    return table.put(values, person).id;
  }

  // Code of a set by its name; a name that is no code is reported and left empty.
  Value code_named(const char* set_name, const std::string& name, int64_t row, const char* key) {
    if (name.empty()) return {};
    const catalog::CodeSet& set =
        batch_.catalogue().code_sets[static_cast<size_t>(batch_.catalogue().code_set(set_name))];
    for (const catalog::Code& code : set.codes) {
      if (code.name.zh == name) return code.code;
    }
    if (unknown_codes_.insert(std::string(set_name) + name).second) {
      note(row, key,
           {"“" + name + "”不在代码表“" + set.label.zh + "”中，留空",
            "“" + name + "” is not in the code set " + set.label.en + "; left empty"});
    }
    return {};
  }

  void put_terms() {
    std::map<std::string, int64_t> terms;
    for (const Meeting& m : found_.meetings) terms.try_emplace(m.term, m.row);
    for (const auto& [code, row] : terms) {
      if (const auto known = batch_.table("term").find(code)) {
        terms_[code] = *known;
        note(row, "xqm",
             {"学期 " + code + " 的起止日期导出中没有，用系统中已有的",
              "the export has no dates of term " + code + "; those known already are kept"});
        continue;
      }
      const int year = std::stoi(code.substr(0, 4));
      const char season = code.back();
      // The export has no dates. The usual ones: autumn from the second Monday of September, spring from the last of
      // February, summer in July.
      Date begins = season == '1'   ? Date::from_civil(year, 9, 8)
                    : season == '2' ? Date::from_civil(year + 1, 2, 22)
                                    : Date::from_civil(year + 1, 7, 6);
      while (begins.weekday() != 1) ++begins.days;
      const int weeks = season == '3' ? 6 : 19;
      const Date ends{begins.days + weeks * 7 - 1};
      note(
          row, "xqm",
          {"学期 " + code + " 的起止日期导出中没有，暂定 " + begins.print() + " 至 " + ends.print(),
           "the export has no dates of term " + code + "; " + begins.print() + " to " + ends.print() + " are assumed"});
      const auto id = put("term",
                          {{"code", code},
                           {"school_year", code.substr(0, 9)},
                           {"season", std::string(1, season)},
                           {"begins", begins.print()},
                           {"ends", ends.print()},
                           {"weeks", int64_t{weeks}}},
                          row);
      if (id) terms_[code] = *id;
    }
  }

  void put_units() {
    std::map<std::string, const Meeting*> units;
    for (const Meeting& m : found_.meetings) {
      if (m.unit.empty()) continue;
      const Meeting*& first = units[m.unit];
      if (first == nullptr || (first->unit_name.empty() && !m.unit_name.empty())) first = &m;
    }
    for (const auto& [code, m] : units) {
      if (const auto known = batch_.table("unit").find(code)) {
        units_[code] = *known;
        continue;
      }
      if (const auto id = put("unit", {{"code", code}, {"name", m->unit_name.empty() ? code : m->unit_name}}, m->row))
        units_[code] = *id;
    }
  }

  Value unit_of(const std::string& code) const {
    const auto at = units_.find(code);
    return at == units_.end() ? Value{} : Value{at->second};
  }

  void put_courses() {
    std::map<std::string, std::set<std::string>> units;
    for (const Meeting& m : found_.meetings) units[m.course].insert(m.unit);
    for (const auto& [number, m] : courses_) {
      const std::set<std::string>& offered = units[number];
      if (offered.size() > 1)
        note(m->row, "kkbm_id",
             {"课程 " + number + " 由多个单位开设，归口单位留空",
              "course " + number + " is offered by several units; its own unit is left empty"});
      const auto id = put("course",
                          {{"number", number},
                           {"name", m->course_name.empty() ? number : m->course_name},
                           {"unit", offered.size() == 1 ? unit_of(m->unit) : Value{}},
                           {"credits", number_or_null(m->credits)},
                           {"hours", m->credits > 0 ? number_or_null(m->hours) : Value{}},
                           {"hours_by_kind", text_or_null(m->hours_by_kind)},
                           {"source_id", text_or_null(m->course_id)}},
                          m->row);
      if (id) course_rows_[number] = *id;
    }
  }

  void put_rooms() {
    std::map<std::string, const Meeting*> rooms;
    for (const Meeting& m : found_.meetings) {
      if (m.room.empty()) continue;
      const Meeting*& chosen = rooms[m.room];
      if (chosen == nullptr) {
        chosen = &m;
      } else if (chosen->campus != m.campus) {
        if (campus_noted_.insert(m.room).second)
          note(m.row, "xqmc",
               {"教室 " + m.room + " 的校区前后不一致", "the campus of room " + m.room + " differs between rows"});
        if (m.campus < chosen->campus) chosen = &m;  // the same choice whatever the order of rows
      }
    }
    for (const auto& [code, m] : rooms) {
      const auto id = put("room",
                          {{"code", code},
                           {"name", m->room_name.empty() ? code : m->room_name},
                           {"kind", code_named("JSLX", m->room_kind, m->row, "cdlbmc")},
                           {"building", text_or_null(m->building)},
                           {"campus", text_or_null(m->campus)},
                           {"seats", number_or_null(m->seats)}},
                          m->row);
      if (id) room_rows_[code] = *id;
    }
  }

  // One provisional row for each unit and name; its number is made from both, so that the next import finds it again.
  std::optional<int64_t> teacher(const std::string& name, const Meeting& m) {
    const std::pair key{m.unit, name};
    const auto known = staff_.find(key);
    if (known != staff_.end()) return known->second;
    const crypto::Digest digest = crypto::sha256(m.unit + "\n" + name);
    const std::string number = "P-" + crypto::hex(crypto::bytes_of(digest).substr(0, 6));
    std::optional<int64_t> id = batch_.table("staff").find(number);
    if (!id) {
      const std::string_view names[] = {name};
      const int64_t person = identity::add_persons(batch_.connection(), names, batch_.now());
      const Value unit = unit_of(m.unit);
      if (std::holds_alternative<std::monostate>(unit)) {
        note(m.row, "kkbm_id",
             {"教师“" + name + "”没有单位，未导入", "teacher “" + name + "” has no unit and is left out"});
      } else {
        id = put("staff", {{"number", number}, {"name", name}, {"unit", unit}, {"provisional", int64_t{1}}}, m.row,
                 person);
      }
    }
    if (id) staff_[key] = *id;
    return id;
  }

  void put_sections() {
    for (const auto& [source_id, meetings] : sections_) {
      const Meeting& m = *meetings.front();
      // "(2025-2026-1)-LAW4428-01" is how the school names it; the export's own id where there is none.
      std::string number = m.section_name.empty() ? source_id : m.section_name;
      std::erase_if(number, [](char c) { return c == '(' || c == ')'; });
      std::vector<std::string> names = m.teachers;
      for (const Meeting* each : meetings) {
        for (const auto& name : each->meeting_teachers) {
          if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        }
      }
      std::string listed;
      for (const std::string& name : names) listed += (listed.empty() ? "" : "、") + name;
      const auto term = terms_.find(m.term);
      const auto course = course_rows_.find(m.course);
      if (term == terms_.end() || course == course_rows_.end()) {
        note(m.row, "jxb_id", {"教学班的课程或学期未能导入", "the section's course or term could not be imported"});
        continue;
      }
      const auto id = put("section",
                          {{"number", number},
                           {"name", text_or_null(m.section_name)},
                           {"course", course->second},
                           {"term", term->second},
                           {"unit", unit_of(m.unit)},
                           {"teachers", text_or_null(listed)},
                           {"capacity", number_or_null(m.capacity)},
                           {"students_count", number_or_null(m.students)},
                           {"nature", text_or_null(m.nature)},
                           {"kind", code_named("SECTION_KIND", m.kind, m.row, "kklx")},
                           {"hours", number_or_null(m.hours)},
                           {"groups", text_or_null(m.groups)},
                           {"grade_years", text_or_null(m.grade_years == "wnj" ? "" : m.grade_years)},
                           {"campus", text_or_null(m.campus)},
                           {"source_id", source_id}},
                          m.row);
      if (!id) continue;
      put_teachers(*id, m, names);
      put_meetings(*id, meetings);
    }
  }

  void put_teachers(int64_t section, const Meeting& m, const std::vector<std::string>& names) {
    int64_t ordinal = 0;
    for (const std::string& name : names) {
      ++ordinal;
      const auto id = teacher(name, m);
      if (id)
        put("section_teacher",
            {{"section", section},
             {"teacher", *id},
             {"lead", int64_t{name == m.lead || (m.lead.empty() && ordinal == 1) ? 1 : 0}},
             {"ordinal", ordinal}},
            m.row);
    }
  }

  void put_meetings(int64_t section, const std::vector<const Meeting*>& meetings) {
    // Numbered by time and place, not by the order of rows.
    std::map<std::tuple<int, int, int, int64_t, std::string>, const Meeting*> ordered;
    for (const Meeting* m : meetings) {
      for (const auto& [first, last] : m->periods) {
        if (!ordered.try_emplace({m->weekday, first, last, m->weeks, m->room}, m).second) {
          ++repeated_;
          note(m->row, "jxb_id", {"与前面的行重复", "repeats an earlier row"});
        }
      }
    }
    int64_t ordinal = 0;
    for (const auto& [key, m] : ordered) {
      const auto& [weekday, first, last, weeks, room] = key;
      std::string listed;
      for (const std::string& name : m->meeting_teachers) listed += (listed.empty() ? "" : "、") + name;
      const auto at = room_rows_.find(room);
      put("meeting",
          {{"section", section},
           {"ordinal", ++ordinal},
           {"weekday", int64_t{weekday}},
           {"first_period", int64_t{first}},
           {"last_period", int64_t{last}},
           {"weeks", weeks},
           {"room", at == room_rows_.end() ? Value{} : Value{at->second}},
           {"teachers", text_or_null(listed)}},
          m->row);
    }
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
  change::Batch& batch_;
  Imported imported_;
  std::map<std::string, std::vector<const Meeting*>> sections_;
  std::map<std::string, const Meeting*> courses_;
  std::map<std::string, int64_t> terms_, units_, course_rows_, room_rows_;
  std::map<std::pair<std::string, std::string>, int64_t> staff_;
  std::set<std::string> unknown_codes_, campus_noted_;
  int64_t repeated_ = 0;
};

}  // namespace

Imported load(const Export& found, change::Batch& batch) {
  return Loader(found, batch).run();
}

}  // namespace jw::zfsoft
