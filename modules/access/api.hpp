// Access beyond the defaults (§2.4, §2.5): applied for, signed, decided, granted, renewed, changed, confirmed, revoked,
// suspended. The kinds of cases of this procedure, and what time and the staff record do to grants.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "kernel/case/api.hpp"

namespace jw::access {

// What an application would open, in words, and what is missing; members of an open object (docs/api.md).
void write_preview(const cases::Services& on, const boost::json::object& content, JsonWriter& out);
// Everything one may apply for: datasets, fields, relations; and what is proposed to whoever asks: the posts for which,
// the rows, a way to see each field. A whole JSON object.
std::string catalogue_json(const cases::Services& on, db::Connection& reader, const cases::Actor& asker);

// What a case of applying would open once granted, as a grant to be weighed before the decision (design §4). nullopt
// when the case asks for no grant. As it will be once it has begun: in force from `now` on.
std::optional<policy::Grant> grant_of(const cases::Services& on, const cases::Case& file, Instant now);

// Use of grants, gathered as answers go out and written down now and then: at a crash the count may lose a minute, the
// record loses nothing. Thread-safe.
class Uses {
 public:
  void note(std::string_view basis, Instant now);  // of an answer: "§2.2.1,grant:2026-0017"
  int write(db::Store& store);

 private:
  struct Use {
    int64_t times = 0;
    Instant last;
  };
  std::mutex mutex_;
  std::map<std::string, Use, std::less<>> uses_;
};

// What time does to grants: states, notices before the end, lapse of what nobody uses, use counted from the record, the
// grants of people whose post has changed (§2.5.1), the campaign of each term (§2.5.2). Safe on several nodes. Returns
// the number of changes.
int tend(cases::Engine& engine, Instant now);

}  // namespace jw::access
