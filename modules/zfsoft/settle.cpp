// One thing of the rows that speak of it: the same whatever their order, and what they contradict each other about
// told.
#include <algorithm>
#include <bit>

#include "base/text.hpp"
#include "modules/zfsoft/api.hpp"
#include "platform/crypto/api.hpp"

namespace jw::zfsoft {

using catalog::Value;

namespace {

constexpr size_t kNumberMost = 60;  // section.number

// What rows say of one fact: value, as compared, and who says it.
struct Voice {
  Value value;
  std::vector<int64_t> rows;
};
using Voices = std::map<Value, Voice>;
struct Said {
  int64_t row = 0;                      // the first that speaks of the thing
  std::map<std::string, Voices> facts;  // by field
};

Value compared(const Value& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text == nullptr ? value : Value{nfkc(*text)};
}

void hear(Said& said, const Facts& facts, int64_t row) {
  if (said.row == 0 || row < said.row) said.row = row;
  for (const auto& [field, value] : facts) {
    Voice& voice = said.facts[field][compared(value)];
    if (voice.rows.empty() || value < voice.value) voice.value = value;
    voice.rows.push_back(row);
  }
}

std::string listed(const std::vector<int64_t>& rows) {
  std::string out;
  for (size_t i = 0; i < std::min<size_t>(rows.size(), 3); ++i) out += (i == 0 ? "" : ",") + std::to_string(rows[i]);
  return rows.size() > 3 ? out + "…" : out;
}

class Settler {
 public:
  Settler(const Export& found, const catalog::Catalogue& catalogue) : found_(found), catalogue_(catalogue) {}

  Settled run() {
    std::map<std::pair<std::string, std::string>, std::vector<const Meeting*>> groups;
    for (const Meeting& m : found_.meetings) {
      groups[{m.section_id, m.term}].push_back(&m);
      out_.named.emplace(m.section_id, m.term);
      out_.timed = out_.timed || m.timed;
    }
    tell_terms_of_one_id();
    for (const auto& [key, rows] : groups) {
      if (is_one_course(rows)) hear_section(rows);
    }
    for (auto& [key, said] : units_) out_.units[key] = thing("unit", key, said);
    for (auto& [key, said] : courses_) out_.courses[key] = thing("course", key, said);
    for (auto& [key, said] : rooms_) out_.rooms[key] = thing("room", key, said);
    number_sections();
    return std::move(out_);
  }

 private:
  void note(int64_t row, std::string field, Text text, bool lost) {
    out_.problems.push_back({row, std::move(field), std::move(text), lost});
  }

  void tell_terms_of_one_id() {
    std::map<std::string, std::map<std::string, int64_t>> terms;
    for (const Meeting& m : found_.meetings) terms[m.section_id].try_emplace(m.term, m.row);
    for (const auto& [id, of] : terms) {
      if (of.size() < 2) continue;
      std::string names;
      for (const auto& [term, row] : of) names += (names.empty() ? "" : ", ") + term;
      note(of.rbegin()->second, "jxb_id",
           {"编号 " + id + " 在不同学期出现（" + names + "），按不同的教学班存放",
            "the id " + id + " stands in several terms (" + names + "); kept as different sections"},
           true);
    }
  }

  // What the source calls one id with two courses is no section that could be stored.
  bool is_one_course(const std::vector<const Meeting*>& rows) {
    std::map<std::string, int64_t> courses;
    for (const Meeting* m : rows) {
      if (!m->course.empty()) courses.try_emplace(m->course, m->row);
    }
    if (courses.size() == 1) return true;
    if (courses.empty()) return false;  // told by its rows
    std::string names;
    for (const auto& [course, row] : courses) names += (names.empty() ? "" : ", ") + course;
    note(courses.rbegin()->second, "jxb_id",
         {"编号 " + rows.front()->section_id + " 用于不同的课程（" + names + "），未导入，已有的保持不变",
          "the id " + rows.front()->section_id + " stands for several courses (" + names +
              "); left out, what stands is kept"},
         true);
    return false;
  }

  void hear_section(const std::vector<const Meeting*>& rows) {
    Section section;
    section.id = rows.front()->section_id;
    section.term = rows.front()->term;
    Said said;
    for (const Meeting* m : rows) {
      hear(said, m->of_section, m->row);
      if (!m->course.empty()) {
        section.course = m->course;
        hear(courses_[m->course], m->of_course, m->row);
      }
      if (!m->unit.empty()) {
        hear(said, {{"unit", m->unit}}, m->row);
        hear(units_[m->unit], m->of_unit, m->row);
      }
      if (!m->room.empty()) hear(rooms_[m->room], m->of_room, m->row);
      auto& [row, last] = out_.terms.try_emplace(m->term, m->row, 0).first->second;
      if (m->time) last = std::max(last, static_cast<int>(std::bit_width(static_cast<uint64_t>(m->time->weeks))));
    }
    section.of = thing("section", section.id, said);
    if (const auto unit = section.of.facts.find("unit"); unit != section.of.facts.end()) {
      section.unit = std::get<std::string>(unit->second);
      section.of.facts.erase(unit);
    }
    hear_teachers(section, rows);
    hear_times(section, rows);
    out_.sections.push_back(std::move(section));
  }

  // The value that more than half of the rows say, or none.
  Thing thing(const std::string& dataset, const std::string& key, const Said& said) {
    Thing out;
    out.row = said.row;
    for (const auto& [field, voices] : said.facts) {
      size_t all = 0;
      const Voice* most = nullptr;
      for (const auto& [folded, voice] : voices) {
        all += voice.rows.size();
        if (most == nullptr || voice.rows.size() > most->rows.size()) most = &voice;
      }
      const bool majority = most->rows.size() * 2 > all;
      // A section may be offered by another unit and have hours of its own: then the course has none that are its own.
      const bool differs_by_section = dataset == "course" && (field == "unit" || field == "hours");
      if (voices.size() > 1) tell_voices(dataset, key, field, voices, majority, differs_by_section);
      const bool open = voices.size() > 1 && (!majority || differs_by_section);
      if (open) out.open.insert(field);
      // A name must be: the first in order of characters, as long as none stands.
      if (!open || field == "name") out.facts[field] = open ? voices.begin()->second.value : most->value;
    }
    return out;
  }

  void tell_voices(const std::string& dataset, const std::string& key, const std::string& name, const Voices& voices,
                   bool majority, bool by_section) {
    const catalog::Dataset& of = *catalogue_.find(dataset);
    const catalog::Field& field = of.fields.at(static_cast<size_t>(of.field(name)));
    std::string zh, en;
    int64_t row = 0;
    for (const auto& [folded, voice] : voices) {
      const auto* text = std::get_if<std::string>(&voice.value);
      const std::string value = text != nullptr ? *text : catalog::print_value(catalogue_, field, voice.value, true);
      zh += (zh.empty() ? "“" : "、“") + value + "”（第 " + listed(voice.rows) + " 行）";
      en += (en.empty() ? "“" : ", “") + value + "” (row " + listed(voice.rows) + ")";
      row = std::max(row, voice.rows.front());
    }
    const Text then = by_section ? Text{"各教学班不同，课程本身保留原值，没有则留空",
                                        "it differs by section; the course keeps what stands, or none"}
                      : majority ? Text{"采用多数", "what most rows say is used"}
                                 : Text{"保留原值，没有则留空", "what stands is kept, or none"};
    note(row, dataset + "." + name,
         {of.label.zh + " " + key + " 的“" + field.label.zh + "”各行不一致：" + zh + "；" + then.zh,
          "rows differ about " + field.label.en + " of " + of.label.en + " " + key + ": " + en + "; " + then.en},
         !by_section && !majority);
  }

  // All that any row names, in order of place; who has a number in one cell and none in another is one person.
  void hear_teachers(Section& section, const std::vector<const Meeting*>& rows) {
    using Who = std::pair<std::string, std::string>;
    std::map<Who, std::pair<size_t, std::string>> order;  // place, title
    std::map<std::string, std::set<std::string>> numbers;
    const auto add = [&](const Teachers& list, size_t base) {
      section.teachers_said = section.teachers_said || list.said;
      section.teachers_whole = section.teachers_whole && list.unclear.empty();
      for (size_t i = 0; i < list.named.size(); ++i) {
        const Teacher& each = list.named[i];
        auto& place = order.try_emplace({each.number, each.name}, base + i, each.title).first->second;
        place.first = std::min(place.first, base + i);
        if (!each.number.empty()) numbers[each.name].insert(each.number);
      }
    };
    for (const Meeting* m : rows) {
      add(m->teachers, 0);
      add(m->lead, 1000);
      add(m->present, 2000);
    }
    const auto known = [&](const Teacher& each) -> Who {
      const auto at = numbers.find(each.name);
      if (!each.number.empty() || at == numbers.end() || at->second.size() != 1) return {each.number, each.name};
      return {*at->second.begin(), each.name};
    };
    std::map<Who, std::pair<size_t, std::string>> once;
    for (const auto& [who, place] : order) {
      const Who is = known({who.first, who.second, {}});
      auto& at = once.try_emplace(is, place).first->second;
      at = std::min(at, place);
    }
    std::vector<std::pair<size_t, Teacher>> placed;
    for (const auto& [who, place] : once) placed.push_back({place.first, {who.first, who.second, place.second}});
    std::stable_sort(placed.begin(), placed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [place, teacher] : placed) section.teachers.push_back(std::move(teacher));
    for (const Meeting* m : rows) {
      for (const Teacher& each : m->lead.named) section.leads.insert(known(each));
    }
  }

  void hear_times(Section& section, const std::vector<const Meeting*>& rows) {
    std::set<std::tuple<int, std::vector<std::pair<int, int>>, int64_t, std::string>> meetings;
    for (const Meeting* m : rows) {
      section.times_whole = section.times_whole && (!m->timed || m->time);
      if (!m->time) continue;
      std::set<std::string> present;
      for (const Teacher& each : m->present.named) present.insert(each.name.empty() ? each.number : each.name);
      bool more = meetings.emplace(m->time->weekday, m->time->periods, m->time->weeks, m->room).second;
      for (const auto& [first, last] : m->time->periods) {
        SlotFacts& slot = section.slots[{m->time->weekday, first, last, m->time->weeks, m->room}];
        if (slot.row == 0) slot.row = m->row;
        for (const std::string& name : present) more = slot.present.insert(name).second || more;
      }
      if (!more) note(m->row, "jxb_id", {"与前面的行重复", "repeats an earlier row"}, false);
    }
    section.meetings = static_cast<int64_t>(meetings.size());
  }

  // "(2025-2026-1)-LAW4428-01" is how the school names it: "2025-2026-1-LAW4428-01". The name is not what identifies a
  // section: two with one name have their ids behind.
  void number_sections() {
    std::map<std::string, std::vector<Section*>> by_number;
    for (Section& section : out_.sections) {
      const auto name = section.of.facts.find("name");
      std::string label = name == section.of.facts.end() ? section.id : nfkc(std::get<std::string>(name->second));
      std::erase_if(label, [](char c) { return c == '(' || c == ')'; });
      if (!label.starts_with(section.term)) label.insert(0, section.term + "-");
      by_number[label].push_back(&section);
    }
    for (const auto& [number, sections] : by_number) {
      for (Section* section : sections) {
        section->number = sections.size() == 1 ? number : number + "-" + section->id;
        if (sections.size() > 1)
          note(section->of.row, "jxbmc",
               {"教学班名称重复，编号不同，按不同的教学班存放：" + section->number,
                "sections of one name and different ids are kept apart: " + section->number},
               false);
        if (code_points(section->number) > kNumberMost) section->number = section->term + "-" + section->id;
        if (code_points(section->number) > kNumberMost)
          section->number = section->term + "-" + crypto::hex(crypto::sha256(section->id)).substr(0, 24);
      }
    }
  }

  const Export& found_;
  const catalog::Catalogue& catalogue_;
  Settled out_;
  std::map<std::string, Said> units_, courses_, rooms_;
};

}  // namespace

Settled settle(const Export& found, const catalog::Catalogue& catalogue) {
  return Settler(found, catalogue).run();
}

}  // namespace jw::zfsoft
