// Who sees this cell, and what does this person see (§4.3.2).
#include "kernel/query/sight.hpp"
#include "base/json.hpp"
#include "modules/regulation/regulation.hpp"

namespace jw::regulation {

using edge::Call;

namespace {

constexpr std::chrono::seconds kLookingMost{20};

template <class Look>
void look(const Call& call, std::string_view action, std::string parameters, Look found) {
  edge::House& house = call.house();
  Result<std::string> body = std::string();
  {
    const db::Store::Lease lease = house.store.reader();
    lease->statement_limit(kLookingMost);
    body = found(*lease, house.policy.rules(), house.clock.now());
  }
  record::Entry entry = entry_of(call, action);
  entry.basis = "§4.3.2";
  entry.parameters = std::move(parameters);
  if (body) return call.release(std::move(entry), std::move(*body));
  entry.kind = "refusal";
  call.release(std::move(entry), body.refusal());
}

}  // namespace

void see_cell(const Call& call) {
  const std::string dataset = call.parameter("dataset"), key = call.parameter("key"), field = call.parameter("field");
  std::string parameters;
  JsonWriter(parameters).object().field("dataset", dataset).field("key", key).field("field", field).end_object();
  look(call, "sight_cell", std::move(parameters),
       [&](db::Connection& reader, const std::shared_ptr<const policy::Rules>& rules, Instant now) {
         return query::who_sees(reader, rules, dataset, key, field, now);
       });
}

void see_person(const Call& call) {
  const std::string account = call.parameter("account");
  std::string parameters;
  JsonWriter(parameters).object().field("account", account).end_object();
  look(call, "sight_person", std::move(parameters),
       [&](db::Connection& reader, const std::shared_ptr<const policy::Rules>& rules, Instant now) {
         return query::what_sees(reader, rules, account, now);
       });
}

}  // namespace jw::regulation
