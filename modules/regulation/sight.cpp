// Who sees this cell, and what does this person see (§4.3.2).
#include "kernel/query/sight.hpp"
#include "base/json.hpp"
#include "modules/regulation/regulation.hpp"

namespace jw::regulation {

using edge::Call;

namespace {

constexpr std::chrono::seconds kLookingMost{20};

// `found` looks as whoever asks. Whoever is named, or stands behind the row, can see that (§1.3.1).
template <class Look>
void look(const Call& call, std::string_view action, std::string parameters, Look found) {
  edge::House& house = call.house();
  record::Entry entry = entry_of(call, action);
  entry.basis = "§4.3.2";
  entry.parameters = std::move(parameters);
  Result<query::Seen> seen = query::Seen{};
  {
    const db::Store::Lease lease = house.store.reader();
    lease->statement_limit(kLookingMost);
    house.policy.refresh(*lease);
    const policy::Asker asker = call.asker();
    seen = found(*lease, house.policy.rules(), query::Viewer{asker, house.clock.now()});
  }
  if (!seen) {
    entry.kind = "refusal";
    return call.release(std::move(entry), seen.refusal());
  }
  record::Entry like = entry;
  like.action = "query";  // as the people concerned read it
  like.purpose = "teaching_administration";
  if (const auto kept = edge::keep_told(call, like, std::move(seen->told)); !kept) return call.refuse(kept.refusal());
  call.release(std::move(entry), std::move(seen->json));
}

}  // namespace

void see_cell(const Call& call) {
  const std::string dataset = call.parameter("dataset"), key = call.parameter("key"), field = call.parameter("field");
  std::string parameters;
  JsonWriter(parameters).object().field("dataset", dataset).field("key", key).field("field", field).end_object();
  look(call, "sight_cell", std::move(parameters),
       [&](db::Connection& reader, const std::shared_ptr<const policy::Rules>& rules, const query::Viewer& viewer) {
         return query::who_sees(reader, rules, viewer, dataset, key, field);
       });
}

void see_person(const Call& call) {
  const std::string account = call.parameter("account");
  std::string parameters;
  JsonWriter(parameters).object().field("account", account).end_object();
  look(call, "sight_person", std::move(parameters),
       [&](db::Connection& reader, const std::shared_ptr<const policy::Rules>& rules, const query::Viewer& viewer) {
         return query::what_sees(reader, rules, viewer, account);
       });
}

}  // namespace jw::regulation
