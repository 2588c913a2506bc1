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

#include "kernel/policy/api.hpp"
#include "kernel/record/api.hpp"
#include "platform/db/api.hpp"

namespace jw::query {

struct EffectOptions {
  int holders = 3;                         // counted for so many holders of a post, spread over all of them
  int sample = 5;                          // rows shown of those gained, and of those lost
  int statements = 60;                     // beyond, words only
  std::chrono::milliseconds limit{3'000};  // of one statement; one that takes longer gives no numbers
  std::string purpose{};                   // under which is compared; grants must state one
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
  // Whom samples, names, and numbers about few persons told of, by dataset: one leaf of the record each (§1.3.1).
  struct Told {
    std::string dataset;
    int64_t rows = 0;
    std::vector<record::Subject> subjects;
  };
  std::vector<Told> told{};
};

using RulesPtr = std::shared_ptr<const policy::Rules>;

// `reader`: a reading connection, whose statement limit this call sets. Two sets of rules of one catalogue; for a
// single grant: before = policy.rules(), after = before->with(grant_atom(…)).
Effect effect_of(const catalog::Catalogue& catalogue, db::Connection& reader, const RulesPtr& before,
                 const RulesPtr& after, const policy::Asker& viewer, Instant now, const EffectOptions& options = {});

}  // namespace jw::query
