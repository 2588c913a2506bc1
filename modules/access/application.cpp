#include "modules/access/application.hpp"

#include <boost/json.hpp>

#include <algorithm>

#include "base/text.hpp"
#include "base/typed.hpp"
#include "kernel/catalog/condition.hpp"

namespace jw::access {

namespace json = boost::json;
using catalog::Catalogue;
using catalog::Dataset;
using catalog::Field;
using catalog::Level;

const Text kUndertaking{
    "我承诺：只为本申请写明的目的使用所查询的数据；不转让、不出借账号和权限；不向校外或无权人员提供、转述查询结果；"
    "导出的文件妥善保管，用毕删除；发现泄露立即报告教务处。违反者按学校规定承担责任。",
    "I undertake to use what I query for the purpose of this application only; to lend or pass on neither account nor "
    "access; to give or tell results to nobody outside the school or without authority; to keep exported files safe "
    "and delete them after use; and to report a leak to the academic affairs office at once. Breaches are dealt with "
    "under the rules of the school."};

namespace {

constexpr size_t kTextMax = 500;
constexpr size_t kReasonMin = 4;

class Reader {
 public:
  Reader(const cases::Services& on, const json::object& content, Date today)
      : on_(on), content_(content), today_(today) {}

  Reading read() {
    for (const auto& [key, value] : content_) {
      constexpr std::string_view kKeys[] = {"dataset", "rows",    "where",  "clear",         "masked",
                                            "actions", "purpose", "reason", "justification", "from",
                                            "until",   "minors",  "holder", "undertaking",   "granted"};
      if (std::find(std::begin(kKeys), std::end(kKeys), std::string_view(key)) == std::end(kKeys))
        wrong(std::string(key), "unknown", {"申请表没有这一项", "the form has no such entry"});
    }
    dataset();
    if (out_.application.dataset != nullptr) {
      fields();
      rows();
    }
    actions();
    purpose();
    reasons();
    period();
    holder();
    if (const json::value* minors = content_.if_contains("minors"))
      out_.application.minors = minors->is_bool() && minors->get_bool();
    return std::move(out_);
  }

 private:
  void wrong(const std::string& field, const char* code, Text text) {
    out_.problems.push_back({"content." + field, code, std::move(text)});
  }

  std::string text(const char* key, size_t most) {
    const json::value* value = content_.if_contains(key);
    if (value == nullptr || value->is_null()) return {};
    if (!value->is_string()) {
      wrong(key, "type", {"应为文字", "must be text"});
      return {};
    }
    return typed(value->get_string(), {.name = key, .label = {"内容", "the text"}, .most = most});
  }

  std::string typed(std::string_view raw, const TypedField& field) {
    Result<std::string> text = typed_text(raw, field);
    if (text) return std::move(text).value();
    for (FieldProblem& each : text.refusal().fields) wrong(each.field, each.code.c_str(), each.text);
    return {};
  }

  // Why: asked for in words, and printed on the form.
  std::string why(const char* key, const Text& label, bool must) {
    const json::value* value = content_.if_contains(key);
    const bool given = value != nullptr && value->is_string();
    return typed(given ? std::string_view(value->get_string()) : std::string_view(),
                 {.name = key, .label = label, .least = must ? kReasonMin : 0, .most = kTextMax, .lines = true});
  }

  std::vector<std::string> names(const char* key) {
    std::vector<std::string> out;
    const json::value* value = content_.if_contains(key);
    if (value == nullptr || value->is_null()) return out;
    if (!value->is_array()) {
      wrong(key, "type", {"应为名称的数组", "must be an array of names"});
      return out;
    }
    for (const json::value& each : value->get_array()) {
      if (!each.is_string()) {
        wrong(key, "type", {"应为名称的数组", "must be an array of names"});
        return {};
      }
      const std::string name(each.get_string());
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    }
    return out;
  }

  void dataset() {
    const std::string name = text("dataset", 40);
    if (name.empty()) return wrong("dataset", "required", {"请选择要查询的数据", "choose the data to query"});
    const Dataset* found = on_.catalogue.find(name);
    if (found == nullptr || found->by_kernel)
      return wrong("dataset", "unknown",
                   {"没有可申请的数据“" + name + "”", "there are no data " + name + " to apply for"});
    out_.application.dataset = found;
  }

  void fields() {
    Application& asked = out_.application;
    const auto known = [&](const char* key, std::vector<std::string> listed) {
      std::vector<std::string> good;
      for (std::string& name : listed) {
        if (asked.dataset->field(name) < 0)
          wrong(key, "unknown",
                {"“" + asked.dataset->label.zh + "”没有字段“" + name + "”",
                 asked.dataset->label.en + " has no field " + name});
        else
          good.push_back(std::move(name));
      }
      return good;
    };
    asked.clear = known("clear", names("clear"));
    asked.masked = known("masked", names("masked"));
    for (const std::string& name : asked.masked) {
      if (std::find(asked.clear.begin(), asked.clear.end(), name) != asked.clear.end())
        wrong("masked", "twice",
              {"字段“" + name + "”不能既明文又掩码", "field " + name + " cannot be both clear and masked"});
    }
    if (asked.clear.empty() && asked.masked.empty())
      wrong("clear", "required", {"请至少选择一个字段", "choose at least one field"});
  }

  void rows() {
    Application& asked = out_.application;
    const json::value* rows = content_.if_contains("rows");
    if (rows == nullptr || rows->is_null())
      return wrong("rows", "required", {"请选择要查询的范围", "choose which rows"});
    asked.rows = *rows;
    if (rows->is_string() && rows->get_string() != "all") {
      const int relation = on_.catalogue.relation(std::string_view(rows->get_string()));
      if (relation < 0 || asked.dataset->binding(relation) == nullptr)
        wrong(
            "rows", "unknown",
            {"“" + asked.dataset->label.zh + "”没有这种范围", asked.dataset->label.en + " has no such range of rows"});
    } else if (!rows->is_string()) {
      condition(*rows, "rows");
    }
    const json::value* where = content_.if_contains("where");
    if (where == nullptr || where->is_null()) return;
    if (!rows->is_string())
      return wrong("where", "twice", {"范围已是条件，不能再加条件", "the range is a condition already"});
    asked.where = *where;
    condition(*where, "where");
  }

  void condition(const json::value& value, const char* key) {
    const auto parsed = catalog::parse_condition(on_.catalogue, *out_.application.dataset, value,
                                                 catalog::ConditionUse::query, std::string("content.") + key);
    if (parsed) return out_.application.conditions.push_back(*parsed);
    for (const FieldProblem& problem : parsed.refusal().fields) out_.problems.push_back(problem);
    if (parsed.refusal().fields.empty()) wrong(key, "condition", parsed.refusal().detail);
  }

  void actions() {
    out_.application.actions = names("actions");
    for (const std::string& name : out_.application.actions) {
      // Who enters and who reviews is the regulation's; access is asked for to query (§2.4.1).
      const auto action = policy::action_named(name);
      if (!action || !policy::is_reading(*action))
        wrong("actions", "unknown", {"没有操作“" + name + "”", "there is no action " + name});
    }
    if (out_.application.actions.empty())
      wrong("actions", "required", {"请至少选择一种操作", "choose at least one action"});
  }

  void purpose() {
    out_.application.purpose = text("purpose", 40);
    const auto& purposes = on_.catalogue.code_sets[static_cast<size_t>(on_.catalogue.code_set("PURPOSE"))];
    if (out_.application.purpose.empty()) return wrong("purpose", "required", {"请选择使用目的", "choose the purpose"});
    if (purposes.find(out_.application.purpose) == nullptr)
      wrong("purpose", "unknown", {"没有这种使用目的（§3.3.1）", "there is no such purpose (§3.3.1)"});
  }

  void reasons() {
    Application& asked = out_.application;
    asked.reason = why("reason", {"用途说明", "what it is for"}, true);
    const bool sensitive =
        asked.dataset != nullptr && std::any_of(asked.clear.begin(), asked.clear.end(), [&](const std::string& name) {
          return asked.dataset->fields[static_cast<size_t>(asked.dataset->field(name))].level >= Level::sensitive;
        });
    // Sensitive fields in clear are asked for with a reason of their own, or masked (§2.4.3).
    asked.justification = why(
        "justification",
        {"敏感字段须明文的理由（或改为掩码）", "why sensitive fields in clear (or ask for them masked)"}, sensitive);
  }

  std::optional<Date> day(const char* key) {
    const std::string given = text(key, 10);
    const auto date = Date::parse(given);
    if (!date) {
      wrong(key, given.empty() ? "required" : "type",
            {"请填写日期，如 2026-12-01", "a date such as 2026-12-01, please"});
    }
    return date;
  }

  void period() {
    Application& asked = out_.application;
    const auto from = day("from"), until = day("until");
    if (!from || !until) return;
    asked.from = *from;
    asked.until = *until;
    if (*from < today_) wrong("from", "past", {"开始日期不应早于今天", "the first day cannot lie in the past"});
    if (*until < *from)
      return wrong("until", "order", {"截止日期不应早于开始日期", "the last day is not before the first"});
    const int64_t most =
        on_.setting(asked.dataset != nullptr && asked.is_strict() ? "grant_days_strict" : "grant_days");
    if (until->days - from->days + 1 > most)
      wrong("until", "too_long",
            {"期限最长 " + std::to_string(most) + " 天", "at most " + std::to_string(most) + " days"});
  }

  void holder() {
    const json::value* holder = content_.if_contains("holder");
    if (holder == nullptr || holder->is_null() || (holder->is_string() && holder->get_string() == "self")) return;
    const json::object* object = holder->if_object();
    const json::value* post = object == nullptr ? nullptr : object->if_contains("post");
    const json::value* unit = object == nullptr ? nullptr : object->if_contains("unit");
    if (post == nullptr || !post->is_string() || (unit != nullptr && !unit->is_string()))
      return wrong("holder", "type", {"应为本人或本单位的岗位", "must be oneself or a post of one's unit"});
    out_.application.holder.post = std::string(post->get_string());
    if (unit != nullptr) out_.application.holder.unit = std::string(unit->get_string());
  }

  const cases::Services& on_;
  const json::object& content_;
  const Date today_;
  Reading out_;
};

const Field& field_of(const Application& asked, const std::string& name) {
  return asked.dataset->fields[static_cast<size_t>(asked.dataset->field(name))];
}

Text joined(const std::vector<Text>& parts) {
  Text all;
  for (const Text& part : parts) {
    all.zh += (all.zh.empty() ? "" : "、") + part.zh;
    all.en += (all.en.empty() ? "" : ", ") + part.en;
  }
  return all;
}

Text named(const Catalogue& catalogue, std::string_view set, const std::string& code) {
  const catalog::Code* found = catalogue.code_sets[static_cast<size_t>(catalogue.code_set(set))].find(code);
  return found == nullptr ? Text{code, code} : found->name;
}

Text fields_in_words(const Application& asked, const std::vector<std::string>& names) {
  std::vector<Text> labels;
  for (const std::string& name : names) labels.push_back(field_of(asked, name).label);
  return joined(labels);
}

Text holder_in_words(const cases::Services& on, const Holder& holder) {
  if (holder.post.empty()) return {"本人", "oneself"};
  const auto rules = on.policy.rules();
  const int post = rules->regulation().post(holder.post);
  const Text label =
      post < 0 ? Text{holder.post, holder.post} : rules->regulation().posts[static_cast<size_t>(post)].label;
  return {"本单位“" + label.zh + "”岗位", "the post " + label.en + " of one's unit"};
}

}  // namespace

Level Application::level() const {
  std::vector<int> shown;
  for (const auto* list : {&clear, &masked}) {
    for (const std::string& name : *list) shown.push_back(dataset->field(name));
  }
  return catalog::level_of(*dataset, shown, conditions);
}

bool Application::concerns_students(const Catalogue& catalogue) const {
  if (dataset == nullptr || !dataset->has_subject) return false;
  const Dataset* end = dataset;
  for (const int hop : dataset->about)
    end = &catalogue.datasets[static_cast<size_t>(end->fields[static_cast<size_t>(hop)].ref)];
  return end->name == "student";
}

namespace {

// The field of a row that says which student it is about, as conditions name it; empty when it cannot be said.
std::string student_field(const Dataset& dataset) {
  if (dataset.about.empty()) return "id";
  if (dataset.about.size() == 1) return dataset.fields[static_cast<size_t>(dataset.about.front())].name;
  for (const Field& field : dataset.fields) {
    if (!field.is_lookup()) continue;
    const bool same = field.path.size() + 1 == dataset.about.size() &&
                      std::equal(field.path.begin(), field.path.end(), dataset.about.begin()) &&
                      field.target == dataset.about.back();
    if (same) return field.name;
  }
  return {};
}

json::value both(const json::value& a, const json::value& b) {
  return json::object{{"all", json::array{a, b}}};
}

}  // namespace

json::object Application::grant_content(const Catalogue& catalogue) const {
  json::object content;
  content["rows"] = rows;
  if (where) content["where"] = *where;
  if (concerns_students(catalogue) && !minors) {
    const json::value adult = json::object{{"field", student_field(*dataset)}, {"in_relation", "adult"}};
    if (!rows.is_string()) {
      content["rows"] = both(rows, adult);
    } else {
      content["where"] = where ? both(*where, adult) : adult;
    }
  }
  const auto list = [](const std::vector<std::string>& names) {
    json::array out;
    for (const std::string& name : names) out.emplace_back(name);
    return out;
  };
  content["clear"] = list(clear);
  content["masked"] = list(masked);
  content["actions"] = list(actions);
  content["purposes"] = json::array{json::value(purpose)};
  return content;
}

Reading read(const cases::Services& on, const json::object& content, Date today) {
  Reading reading = Reader(on, content, today).read();
  const Application& asked = reading.application;
  if (asked.concerns_students(on.catalogue) && !asked.minors && student_field(*asked.dataset).empty()) {
    reading.problems.push_back({"content.minors",
                                "required",
                                {"这种数据无法排除未成年学生，须申请包含未成年学生",
                                 "minors cannot be left out of these data: ask for them to be included"}});
  }
  return reading;
}

// ---- narrowing
// ----------------------------------------------------------------------------------------------------

namespace {

bool contains(const std::vector<std::string>& all, const std::string& name) {
  return std::find(all.begin(), all.end(), name) != all.end();
}

Refusal wider(const std::string& field, Text text) {
  return {Code::unprocessable,
          "access.wider",
          {"审批只能缩小、不能扩大申请的范围", "a decision may only narrow what was asked for"},
          {{"granted." + field, "wider", std::move(text)}}};
}

}  // namespace

Result<json::object> narrow(const cases::Services& on, const json::object& content, const json::object& granted,
                            Date today) {
  json::object smaller = content;
  for (const auto& [key, value] : granted) {
    constexpr std::string_view kKeys[] = {"clear", "masked", "actions", "from", "until", "where", "minors"};
    if (std::find(std::begin(kKeys), std::end(kKeys), std::string_view(key)) == std::end(kKeys))
      return wider(std::string(key), {"审批不能更改这一项", "a decision cannot change this"});
    if (value.is_null()) continue;
    if (key != "where") {
      smaller[key] = value;
      continue;
    }
    // One more condition, never instead of those asked for.
    const json::value& rows = content.at("rows");
    if (!rows.is_string()) {
      smaller["rows"] = both(rows, value);
    } else if (const json::value* where = content.if_contains("where"); where != nullptr && !where->is_null()) {
      smaller["where"] = both(*where, value);
    } else {
      smaller["where"] = value;
    }
  }
  const Application asked = read(on, content, today).application;
  Reading reading = read(on, smaller, today);
  // What the applicant asked in time may begin before the decision; only what the decider changed is looked at.
  std::erase_if(reading.problems,
                [&](const FieldProblem& problem) { return problem.field == "content.from" && problem.code == "past"; });
  const Application& result = reading.application;
  for (const std::string& name : result.clear) {
    if (!contains(asked.clear, name))
      return wider("clear", {"“" + name + "”未申请明文", name + " was not asked for in clear"});
  }
  for (const std::string& name : result.masked) {
    if (!contains(asked.masked, name) && !contains(asked.clear, name))
      return wider("masked", {"“" + name + "”未申请", name + " was not asked for"});
  }
  for (const std::string& name : result.actions) {
    if (!contains(asked.actions, name)) return wider("actions", {"“" + name + "”未申请", name + " was not asked for"});
  }
  if (result.from < asked.from) return wider("from", {"不能早于申请的开始日期", "not before the day asked for"});
  if (result.until > asked.until) return wider("until", {"不能晚于申请的截止日期", "not after the day asked for"});
  if (result.minors && !asked.minors)
    return wider("minors", {"未申请未成年学生的数据", "data of minors were not asked for"});
  if (!reading.problems.empty()) {
    Refusal refusal{Code::unprocessable,
                    "access.incomplete",
                    {"批准的内容有误", "what would be granted is not right"},
                    std::move(reading.problems)};
    for (FieldProblem& problem : refusal.fields) problem.field.replace(0, 8, "granted.");
    return refusal;
  }
  return smaller;
}

// ---- words
// ----------------------------------------------------------------------------------------------------------

Text rows_in_words(const cases::Services& on, const Application& asked) {
  const Text& of = asked.dataset->label;
  const auto condition = [&](const json::value& value) {
    const auto parsed =
        catalog::parse_condition(on.catalogue, *asked.dataset, value, catalog::ConditionUse::query, "where");
    return parsed ? catalog::describe_condition(on.catalogue, *asked.dataset, *parsed) : Text{"…", "…"};
  };
  Text words{"全部" + of.zh, "all of " + of.en};
  if (asked.rows.is_string() && asked.rows.get_string() != "all") {
    const int relation = on.catalogue.relation(std::string_view(asked.rows.get_string()));
    if (relation >= 0) {
      const Text& label = on.catalogue.relations[static_cast<size_t>(relation)].label;
      words = {label.zh + "的" + of.zh, of.en + " of " + label.en};
    }
  } else if (asked.rows.is_object()) {
    const Text which = condition(asked.rows);
    words = {of.zh + "（" + which.zh + "）", of.en + " (" + which.en + ")"};
  }
  if (asked.where) {
    const Text which = condition(*asked.where);
    words = {words.zh + "（" + which.zh + "）", words.en + " (" + which.en + ")"};
  }
  if (asked.concerns_students(on.catalogue) && !asked.minors) {
    words.zh += "，不含未满十八周岁的学生";
    words.en += ", students under 18 left out";
  }
  return words;
}

Text title_of(const cases::Services& on, const Application& asked) {
  if (asked.dataset == nullptr) return {"（未填写）", "(not filled in)"};
  Text words = asked.dataset->label;
  if (asked.rows.is_string() && asked.rows.get_string() != "all") {
    const int relation = on.catalogue.relation(std::string_view(asked.rows.get_string()));
    if (relation >= 0) {
      const Text& label = on.catalogue.relations[static_cast<size_t>(relation)].label;
      words = {words.zh + "：" + label.zh, words.en + ": " + label.en};
    }
  } else if (asked.rows.is_object()) {
    words = {words.zh + "：按条件", words.en + ": by condition"};
  } else if (asked.rows.is_string()) {
    words = {words.zh + "：全部", words.en + ": all"};
  }
  return words;
}

namespace {

Text actions_in_words(const cases::Services& on, const Application& asked) {
  std::vector<Text> labels;
  for (const std::string& name : asked.actions) labels.push_back(named(on.catalogue, "ACTION", name));
  return joined(labels);
}

Text sentence(const cases::Services& on, const Application& asked) {
  const Text rows = rows_in_words(on, asked), actions = actions_in_words(on, asked),
             purpose = named(on.catalogue, "PURPOSE", asked.purpose), holder = holder_in_words(on, asked.holder);
  Text out;
  out.zh = holder.zh + "自 " + asked.from.print() + " 至 " + asked.until.print() + "，为" + purpose.zh + "，可" +
           actions.zh + rows.zh;
  out.en = "From " + asked.from.print() + " to " + asked.until.print() + ", for " + purpose.en + ", " + holder.en +
           " may: " + actions.en + " — " + rows.en;
  if (!asked.clear.empty()) {
    const Text fields = fields_in_words(asked, asked.clear);
    out.zh += "；可见：" + fields.zh;
    out.en += "; in clear: " + fields.en;
  }
  if (!asked.masked.empty()) {
    const Text fields = fields_in_words(asked, asked.masked);
    out.zh += "；掩码显示：" + fields.zh;
    out.en += "; masked: " + fields.en;
  }
  out.zh += "。";
  out.en += ".";
  return out;
}

}  // namespace

void write_words(const cases::Services& on, const Reading& reading, JsonWriter& out) {
  const Application& asked = reading.application;
  if (asked.dataset != nullptr) {
    out.key("dataset").object().field("name", asked.dataset->name).field("label", asked.dataset->label).end_object();
    out.field("level", static_cast<int>(asked.level())).field("strict", asked.is_strict());
    out.field("days_most", on.setting(asked.is_strict() ? "grant_days_strict" : "grant_days"));
    if (!asked.rows.is_null()) out.field("rows", rows_in_words(on, asked));
    out.key("fields").array();
    for (const Field& field : asked.dataset->fields) {
      const bool clear = contains(asked.clear, field.name);
      if (!clear && !contains(asked.masked, field.name)) continue;
      out.object().field("name", field.name).field("label", field.label).field("level", static_cast<int>(field.level));
      out.field("sight", clear ? "clear" : "masked").end_object();
    }
    out.end_array();
    out.key("minors").object().field("concerned", asked.concerns_students(on.catalogue));
    out.field("asked", asked.minors).end_object();
    if (asked.is_strict()) {
      out.key("undertaking").object().field("version", kUndertakingVersion).field("text", kUndertaking).end_object();
    }
  }
  out.key("actions").array();
  for (const std::string& name : asked.actions)
    out.object().field("name", name).field("label", named(on.catalogue, "ACTION", name)).end_object();
  out.end_array();
  out.key("purpose").object().field("name", asked.purpose);
  out.field("label", named(on.catalogue, "PURPOSE", asked.purpose)).end_object();
  out.field("reason", asked.reason).field("justification", asked.justification);
  if (asked.until.days != 0) {
    out.field("from", asked.from.print()).field("until", asked.until.print());
    out.field("days", asked.until.days - asked.from.days + 1);
  }
  out.field("holder", holder_in_words(on, asked.holder));
  if (asked.dataset != nullptr && !asked.rows.is_null() && asked.until.days != 0)
    out.field("sentence", sentence(on, asked));
  out.key("problems").array();
  for (const FieldProblem& problem : reading.problems)
    out.object().field("field", problem.field).field("code", problem.code).field("text", problem.text).end_object();
  out.end_array();
}

std::vector<std::pair<std::string, std::string>> lines_of(const cases::Services& on, const Application& asked) {
  std::vector<std::pair<std::string, std::string>> lines;
  lines.emplace_back("查询内容", rows_in_words(on, asked).zh);
  if (!asked.clear.empty()) lines.emplace_back("明文字段", fields_in_words(asked, asked.clear).zh);
  if (!asked.masked.empty()) lines.emplace_back("掩码字段", fields_in_words(asked, asked.masked).zh);
  lines.emplace_back("操作", actions_in_words(on, asked).zh);
  lines.emplace_back("目的", named(on.catalogue, "PURPOSE", asked.purpose).zh);
  lines.emplace_back("使用期限", asked.from.print() + " 至 " + asked.until.print());
  lines.emplace_back("使用人", holder_in_words(on, asked.holder).zh);
  return lines;
}

}  // namespace jw::access
