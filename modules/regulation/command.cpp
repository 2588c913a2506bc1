// jiaowu regulation rollback: the operator's way back to a version, when what is in force lets nobody sign in to
// propose it.
#include <charconv>
#include <iostream>

#include "kernel/policy/regulation_edit.hpp"
#include "modules/regulation/regulation.hpp"

namespace jw::regulation {

int command(const edge::Words& words, const edge::OpenHouse& open) {
  const edge::Arguments arguments(words, edge::with_store({"reason"}), {});
  const edge::Words& rest = arguments.rest();
  int64_t to = 0;
  const bool asked = rest.size() == 2 && rest[0] == "rollback";
  const char* const end = asked ? rest[1].data() + rest[1].size() : nullptr;
  if (!asked || std::from_chars(rest[1].data(), end, to).ptr != end)
    throw edge::UsageError("用法：regulation rollback N / usage: regulation rollback N");
  const std::string reason = arguments.required("reason");
  const std::shared_ptr<edge::House> house = open(arguments, false);
  policy::Acted acted;
  const Result<edge::Acted> done = edge::carry_out(
      house->store, house->recorder, edge::operator_hand(), {"regulation_rollback", "2.1.1", edge::kAtTheMachine}, {},
      house->clock.now(), [&](edge::Doing& doing) -> Result<std::string> {
        JW_TRY(acted, policy::restore(doing.transaction, house->recorder, to, reason, doing.by, doing.now));
        doing.outbox = acted.outbox;
        return std::string("{}");
      });
  if (!done) throw std::runtime_error(done.refusal().detail.zh + " / " + done.refusal().detail.en);
  {
    const db::Store::Lease reader = house->store.reader();
    house->policy.refresh(*reader);
  }
  std::cout << "第 " << to << " 版已恢复，现行第 " << acted.version << " 版 / version " << to
            << " is back, now in force as version " << acted.version << "\n";
  for (const Text& each : house->policy.rules()->closed()) std::cout << "[?] " << each.zh << " / " << each.en << "\n";
  return 0;
}

}  // namespace jw::regulation
