// What is asked for on the 《教务系统查询权限申请表》 (§2.4.1): read, checked, told in words, narrowed.
#pragma once

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "kernel/case/api.hpp"
#include "kernel/catalog/api.hpp"
#include "kernel/policy/api.hpp"

namespace jw::access {

// The undertaking of confidentiality for sensitive and important data (§2.4.3), in its current version.
constexpr int64_t kUndertakingVersion = 1;
extern const Text kUndertaking;

// Who will hold the grant: the applicant's account, or everybody of a post in the applicant's unit.
struct Holder {
  std::string post, unit;  // empty: oneself
};

struct Application {
  const catalog::Dataset* dataset = nullptr;
  boost::json::value rows;  // "all", a relation, or a condition
  std::optional<boost::json::value> where;
  std::vector<std::string> clear, masked;
  std::vector<std::string> actions;
  std::string purpose, reason, justification;
  Date from, until;  // both days included
  bool minors = false;
  Holder holder;

  std::vector<catalog::Condition> conditions;  // of rows and where, as understood
  catalog::Level level() const;                // catalog::level_of what is shown of which rows
  // Whether the stricter path of §2.4.3 is to be taken.
  bool is_strict() const { return level() >= catalog::Level::sensitive; }
  bool concerns_students(const catalog::Catalogue& catalogue) const;
  // As the grant of policy::Grant::content. Minors are left out unless approved: see narrowed_to_adults.
  boost::json::object grant_content(const catalog::Catalogue& catalogue) const;
};

// What is asked, as far as it can be understood, and everything that stands in the way of submitting it. `today`: the
// first day that may be asked for.
struct Reading {
  Application application;
  std::vector<FieldProblem> problems;
};
Reading read(const cases::Services& on, const boost::json::object& content, Date today);

// The smaller thing that a decider grants: fields and actions taken away, clear cells masked, a shorter period, one
// more condition. Refusal: access.wider (422) naming the field that would open more than was asked.
Result<boost::json::object> narrow(const cases::Services& on, const boost::json::object& content,
                                   const boost::json::object& granted, Date today);

// Members `dataset`, `fields`, `rows` … `sentence` of an open object (docs/api.md).
void write_words(const cases::Services& on, const Reading& reading, JsonWriter& out);
Text rows_in_words(const cases::Services& on, const Application& application);
Text title_of(const cases::Services& on, const Application& application);
std::vector<std::pair<std::string, std::string>> lines_of(const cases::Services& on, const Application& application);

}  // namespace jw::access
