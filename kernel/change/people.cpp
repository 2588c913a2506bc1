// Batches of people: what they may enter and review (§2.2.1, §4.1.2, §4.2.1).
#include <algorithm>

#include "base/fault.hpp"
#include "kernel/change/api.hpp"
#include "kernel/identity/api.hpp"

namespace jw::change {

using policy::Action;

namespace {

constexpr size_t kTold = 20;  // rows named in a refusal

Result<Done> are_two(const People& people) {
  const policy::Asker &entered = people.entered.asker, &reviewed = people.reviewed.asker;
  const bool one = entered.account == reviewed.account ||
                   JW_FAULT(63, entered.person != 0 && entered.person == reviewed.person, false);
  if (!one) return Done{};
  return Refusal{Code::forbidden,
                 "change.same_person",
                 {"录入和审核须由不同的人完成（§4.2.1）", "entry and review are done by different people (§4.2.1)"}};
}

Result<Done> is_live(db::Connection& transaction, const Hand& hand, Instant now) {
  if (hand.asker.session != 0) {
    if (identity::check_live(transaction, hand.asker.session, now)) return Done{};
    return identity::session_ended();
  }
  if (identity::is_live(transaction, hand.asker.account)) return Done{};
  return Refusal{Code::conflict,
                 "change.account_ended",
                 {"录入人或审核人的账号已停用", "the account of whoever entered or reviewed is suspended or closed"}};
}

Refusal not_permitted(const catalog::Dataset& dataset, Action action, const std::vector<query::Outside>& outside) {
  const bool enter = action == Action::enter;
  Refusal refusal{Code::forbidden, "change.not_permitted", {}};
  refusal.detail = {
      "这批“" + dataset.label.zh + "”中有的行或字段不在许可" + (enter ? "录入" : "审核") + "的范围内",
      "some rows or fields of " + dataset.label.en + " are beyond what may be " + (enter ? "entered" : "reviewed")};
  for (const query::Outside& each : outside) {
    std::string path = dataset.name + "[" + each.key + "]";
    Text text{enter ? "不能录入这一行" : "不能审核这一行",
              enter ? "this row may not be entered" : "this row may not be reviewed"};
    if (each.field >= 0) {
      const catalog::Field& field = dataset.fields[static_cast<size_t>(each.field)];
      path += "." + field.name;
      text = {"这一行的“" + field.label.zh + "”" + (enter ? "不能录入" : "不能审核"),
              field.label.en + " of this row may not be " + (enter ? "entered" : "reviewed")};
    }
    refusal.fields.push_back({std::move(path), "not_permitted", std::move(text)});
  }
  return refusal;
}

void append_once(std::string& list, const std::string& more) {
  if (more.empty() || ("," + list + ",").find("," + more + ",") != std::string::npos) return;
  list += (list.empty() ? "" : ",") + more;
}

}  // namespace

void Table::note(int64_t id, Event event) {
  if (!batch_.acting_.empty()) events_.emplace_back(id, event);
}

query::Written Table::written() const {
  query::Written written;
  written.dataset = &dataset_;
  written.batch = batch_.id_;
  for (const auto& [name, table] : batch_.tables_) written.datasets.insert(table->dataset_.index);
  std::vector<std::pair<int64_t, Event>> events = events_;
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t first = 0, last = 0; first < events.size(); first = last + 1) {
    for (last = first; last + 1 < events.size() && events[last + 1].first == events[first].first;) ++last;
    // One that the batch itself has added stood nowhere before.
    if (JW_FAULT(64, events[first].second, events[last].second) != Event::added)
      written.stood.push_back(events[first].first);
    if (events[last].second != Event::removed) written.stands.push_back(events[first].first);
  }
  return written;
}

void Batch::begin_acting() {
  const auto* people = std::get_if<People>(&head_.by);
  if (people == nullptr) return;
  const auto act = [&](Action action, const Hand& hand) {
    acting_.push_back({action, &hand, people->policy->authority_in(connection_, hand.asker, now_)});
  };
  act(Action::enter, people->entered);
  act(JW_FAULT(65, Action::review, Action::enter), people->reviewed);
}

Result<Done> Batch::check_people() {
  const auto* people = std::get_if<People>(&head_.by);
  if (people == nullptr) return Done{};
  size_t events = 1;
  for (const auto& [name, table] : tables_) events += table->events_.size();
  if (events == asked_) return Done{};
  JW_CHECK(are_two(*people));
  for (const Acting& acting : acting_) JW_CHECK(is_live(connection_, *acting.hand, now_));
  for (const Acting& acting : acting_) JW_CHECK(check_permits(acting));
  asked_ = events;
  return Done{};
}

Result<Done> Batch::check_permits(const Acting& acting) {
  const query::Writing writing{*acting.authority, acting.hand->asker, acting.action,
                               JW_FAULT(66, std::get<People>(head_.by).purpose, std::string()), now_};
  for (const auto& [name, table] : tables_) {
    if (table->events_.empty()) continue;
    JW_TRY(const std::vector<query::Outside> outside, query::outside(connection_, writing, table->written(), kTold));
    if (!outside.empty()) return not_permitted(table->dataset_, acting.action, outside);
  }
  return Done{};
}

const policy::Decision& Batch::decision_of(const Acting& acting, const catalog::Dataset& dataset) const {
  return acting.authority->decide(dataset, acting.action, std::get<People>(head_.by).purpose);
}

std::string Batch::basis_of(const Acting& acting) const {
  std::string basis;
  for (const auto& [name, table] : tables_) {
    if (!table->events_.empty()) append_once(basis, decision_of(acting, table->dataset_).basis);
  }
  return basis;
}

// On what it rests, in the leaf.
void Batch::tell_permits(record::Entry& entry) const {
  if (acting_.empty()) return;
  const Acting& entered = acting_.front();
  entry.person = entered.hand->asker.person;
  entry.session = entered.hand->asker.session;
  entry.basis = basis_of(entered);
  entry.policy_version = entered.authority->rules().epoch();
  for (const auto& [name, table] : tables_) {
    if (table->events_.empty()) continue;
    const policy::Decision& decision = decision_of(entered, table->dataset_);
    append_once(entry.post, decision.post);
    if (entry.unit.empty()) entry.unit = decision.unit;
  }
}

}  // namespace jw::change
