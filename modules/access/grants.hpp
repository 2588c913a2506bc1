// Grants as rows: read, made, prolonged, stopped. Inside modules/access only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/case/api.hpp"
#include "modules/access/application.hpp"

namespace jw::access {

struct GrantRow {
  std::string number, title, dataset, holder, holder_name, post, unit, state, content;
  int64_t account = 0, person = 0, holder_unit = 0;
  Instant from, until;
  bool revoked = false, suspended = false;
  int64_t uses = 0;
  std::optional<Instant> last_used;
  bool is_over(Instant now) const { return revoked || until <= now; }
};

std::optional<GrantRow> find_grant(db::Connection& connection, std::string_view number);
// Standing grants (neither over nor revoked) that fit; empty texts and 0 ask for all.
std::vector<GrantRow> standing_grants(db::Connection& connection, int64_t person, int64_t holder_unit, Instant now);

// Ends a grant at once, on the next statement of every node (§2.5.2). False when it is over already.
bool end_grant(db::Connection& transaction, std::string_view number, std::string_view reason, Instant now);
bool suspend_grant(db::Connection& transaction, std::string_view number, std::string_view reason, Instant now);
bool resume_grant(db::Connection& transaction, std::string_view number);
void write_grant(JsonWriter& out, const GrantRow& grant);

// The grant an application asks for, number and holder of the case.
Result<policy::Grant> grant_from(const cases::Services& on, const cases::Case& file, const boost::json::object& content,
                                 Instant now);

}  // namespace jw::access
