// What a change of permissions would do, before it is decided (§2.1.1, §2.4.2; design §4): who gains or loses which
// rows and fields. Both sets of rules are compiled by the lowering that answers queries, and compared inside one
// statement.
//
// Numbers and samples are about rows that the viewer may see already: every count is a conjunction with the viewer's
// own authority, and where anything that it rests on (conditions of rules and of posts, relations followed) asks for a
// field that the viewer does not see in clear, there are words only. Two sets of rules need not have the same posts.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernel/query/sight.hpp"
#include "platform/db/api.hpp"

namespace jw::query {

struct EffectOptions {
  int holders = 3;                         // counted for so many holders of a post, spread over all of them
  int sample = 5;                          // rows shown of those gained, and of those lost
  int statements = 60;                     // beyond, words only
  std::chrono::milliseconds limit{3'000};  // of one statement; one that takes longer gives no numbers
  std::string purpose{};                   // under which is compared; grants must state one
  bool names_holder = false;               // whose grant it is the viewer knows already
};

struct Effect {
  // {"effects":[{"post":{name,label}|null,"account":…|null,"dataset":{name,label},"matter":"reading|enter|review",
  //   "actions":{"gained":[…],"lost":[…]},"rows":{"before":[{text,clause|grant}…],"after":[…]},
  //   "fields":[{"name","label","level","before","after"}],            hidden | masked | clear
  //   "holders":n|null, "numbers":[{"name","account","gained","lost","cells":[{"field","gained","lost"}]}]|null,
  //   "samples":{"columns":[…],"gained":[[…]],"lost":[[…]]}|null,"why":Text|null}…],
  //  "widens":bool,"narrows":bool}
  std::string json;
  bool widens = false, narrows = false;
  std::vector<Told> told{};  // by samples, names, and numbers about few persons
};

using RulesPtr = std::shared_ptr<const policy::Rules>;

// `reader`: a reading connection, whose statement limit this call sets. Two sets of rules of one catalogue; for a
// single grant: before = policy.rules(), after = before->with(grant_atom(…)).
Effect effect_of(const catalog::Catalogue& catalogue, db::Connection& reader, const RulesPtr& before,
                 const RulesPtr& after, const policy::Asker& viewer, Instant now, const EffectOptions& options = {});

// Whether this person would have under `after` what `before` does not give: a permit, a power, or one forbid less. A
// permit that reads otherwise counts, too: nobody can tell that it opens less on whatever rows there will be. Nobody
// decides in their own favour (§4.3.2).
bool favours(db::Connection& reader, const RulesPtr& before, const RulesPtr& after, const policy::Asker& person,
             Instant now);

}  // namespace jw::query
