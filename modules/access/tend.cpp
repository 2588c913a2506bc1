// What time and the staff record do to grants (§2.5.1, §2.5.2). Runs beside the deadlines of cases, on every node.
#include <boost/json.hpp>

#include <algorithm>
#include <map>

#include "base/json.hpp"
#include "modules/access/api.hpp"
#include "modules/access/grants.hpp"
#include "modules/access/tables.hpp"

namespace jw::access {

namespace json = boost::json;

namespace {

record::Entry entry_of(std::string_view action, std::string_view clause, Instant now) {
  record::Entry entry = record::entry_of({}, "act", action, now);
  entry.dataset = "access_grant";
  entry.basis = "§" + std::string(clause);
  return entry;
}

// ---- states that follow from time

// Once each: whoever turns a state also tells of it.
int turn_states(cases::Engine& engine, Instant now) {
  const cases::Services& on = engine.services();
  const int64_t notice = on.setting("grant_notice_days") * kDay, unused = on.setting("grant_unused_days") * kDay;
  struct Row {
    std::string number, from, to;
  };
  std::vector<Row> due;
  {
    const db::Store::Lease reader = on.store.reader();
    db::Rows rows = reader->query(
        "SELECT number, state, valid_from, valid_until, COALESCE(last_used, valid_from), account FROM access_grant "
        "WHERE effect = 'permit' AND revoked IS NULL AND state IN ('waiting', 'valid', 'expiring', 'suspended')");
    while (rows.next()) {
      const std::string state(rows.text(1));
      const int64_t from = rows.integer(2), until = rows.integer(3);
      std::string to = now.us < from ? "waiting" : until <= now.us + notice ? "expiring" : "valid";
      if (state == "suspended") to = state;
      // Of a person alone: what a whole post may do is not lost by a quiet season.
      if (rows.integer(5) != 0 && now.us - std::max(rows.integer(4), from) >= unused && now.us >= from) to = "lapsed";
      if (until <= now.us) to = "expired";
      if (to != state) due.push_back({std::string(rows.text(0)), state, to});
    }
  }
  int count = 0;
  for (const Row& row : due) {
    int64_t outbox = 0;
    {
      const db::Store::Lease writer = on.store.writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      const bool ends = row.to == "lapsed";
      const int64_t changed = writer->execute(
          "UPDATE access_grant SET state = $3, revoked = CASE WHEN $4 = 1 THEN $5 ELSE revoked END, end_reason = CASE "
          "WHEN $4 = 1 THEN '长期未使用' ELSE end_reason END WHERE number = $1 AND state = $2 AND revoked IS NULL",
          {row.number, row.from, row.to, ends ? 1 : 0, now.us});
      if (changed == 0) continue;
      if (ends) writer->execute("UPDATE gate SET epoch = epoch + 1 WHERE id = 1");
      const auto grant = find_grant(*writer, row.number);
      record::Entry entry = entry_of("grant_" + row.to, "2.5.2", now);
      entry.beneficiary = grant->person;
      JsonWriter(entry.parameters).object().field("grant", row.number).field("from", row.from).end_object();
      outbox = on.recorder.put_in_outbox(*writer, entry);
      Text text;
      const std::string until = grant->until.date().print();
      if (row.to == "expiring")
        text = {"授权 " + row.number + "（" + grant->title + "）将于 " + until + " 到期，需要继续使用的请续期",
                "grant " + row.number + " ends on " + until + ": renew it if you still need it"};
      if (row.to == "lapsed")
        text = {"授权 " + row.number + "（" + grant->title + "）因长期未使用已失效",
                "grant " + row.number + " has lapsed: it was not used"};
      if (row.to == "expired")
        text = {"授权 " + row.number + "（" + grant->title + "）已到期", "grant " + row.number + " has expired"};
      if (!text.zh.empty()) {
        if (grant->account != 0) cases::put_notice(*writer, {grant->account, row.number, text}, now);
        std::string unit;
        {
          db::Rows rows = writer->query("SELECT code FROM \"unit\" WHERE id = $1", {grant->holder_unit});
          if (rows.next()) unit = rows.text(0);
        }
        const db::Store::Lease reader = on.store.reader();
        for (const policy::Asker& head :
             unit.empty() ? std::vector<policy::Asker>{} : on.policy.rules()->holders(*reader, kHead, unit, now)) {
          if (head.account != grant->account) {
            cases::put_notice(
                *writer,
                {head.account, row.number, {grant->holder_name + "的" + text.zh, grant->holder_name + ": " + text.en}},
                now);
          }
        }
      }
      transaction.commit();
    }
    on.recorder.deliver(outbox);
    ++count;
  }
  return count;
}

// ---- §2.5.1 posts that have changed

int follow_posts(cases::Engine& engine, Instant now) {
  const cases::Services& on = engine.services();
  struct Holder {
    policy::Asker asker;
    std::string login, name;
    int64_t unit = 0;
    std::vector<std::string> numbers;
  };
  std::vector<Holder> moved;
  {
    const db::Store::Lease reader = on.store.reader();
    std::vector<GrantRow> grants = standing_grants(*reader, 0, 0, now);
    std::erase_if(grants,
                  [](const GrantRow& each) { return each.account == 0 || each.unit.empty() || each.suspended; });
    std::sort(grants.begin(), grants.end(), [](const GrantRow& a, const GrantRow& b) {
      return std::tie(a.account, a.number) < std::tie(b.account, b.number);
    });
    for (const GrantRow& grant : grants) {
      policy::Asker asker;
      asker.account = grant.account;
      asker.person = grant.person;
      const policy::AuthorityPtr authority = on.policy.authority(*reader, asker, now);
      const bool belongs =
          std::any_of(authority->posts().begin(), authority->posts().end(), [&](const policy::HeldPost& held) {
            return std::find(held.units.begin(), held.units.end(), grant.unit) != held.units.end();
          });
      if (belongs) continue;
      if (moved.empty() || moved.back().asker.account != grant.account)
        moved.push_back({asker, grant.holder, grant.holder_name, grant.holder_unit, {}});
      moved.back().numbers.push_back(grant.number);
    }
  }
  int count = 0;
  for (const Holder& holder : moved) {
    int64_t outbox = 0;
    {
      const db::Store::Lease writer = on.store.writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      json::array numbers;
      for (const std::string& number : holder.numbers) {
        if (suspend_grant(*writer, number, "岗位或单位变动", now)) numbers.emplace_back(number);
      }
      if (numbers.empty()) continue;
      const json::object input{{"content", json::object{{"account", holder.asker.account},
                                                        {"person", holder.asker.person},
                                                        {"applicant", holder.login},
                                                        {"applicant_name", holder.name},
                                                        {"unit", holder.unit},
                                                        {"grants", numbers},
                                                        {"reason", "人事记录中的岗位或单位已变动"}}}};
      const Result<cases::Taken> taken =
          engine.open_within(*writer, cases::Engine::clock_actor(), kChange.name, "report", input, false);
      if (!taken) continue;
      outbox = taken->outbox;
      transaction.commit();
    }
    on.recorder.deliver(outbox);
    ++count;
  }
  return count;
}

// ---- §2.5.2 the campaign of each term

// By the unit whose head confirms: nobody confirms the own grant.
int open_campaigns(cases::Engine& engine, Instant now) {
  const cases::Services& on = engine.services();
  struct Standing {
    std::string number, unit;
    Concern concern;
  };
  struct Campaign {
    int64_t unit = 0;
    json::array grants;
  };
  std::string term;
  std::map<std::string, Campaign> campaigns;  // by code
  {
    const db::Store::Lease reader = on.store.reader();
    std::string begins;
    {
      db::Rows rows =
          reader->query("SELECT code, begins FROM term WHERE begins <= $1 AND ends >= $1 ORDER BY begins DESC LIMIT 1",
                        {now.date().print()});
      if (!rows.next()) return 0;
      term = rows.text(0);
      begins = rows.text(1);
    }
    std::vector<Standing> standing;
    {
      db::Rows rows = reader->query(
          "SELECT u.code, g.number, g.person_id, g.post, g.unit FROM access_grant g JOIN \"unit\" u ON u.id = "
          "g.holder_unit WHERE g.effect = 'permit' AND g.revoked IS NULL AND g.valid_until > $1 AND g.made < $2 AND "
          "(g.confirmed IS NULL OR g.confirmed < $2) ORDER BY u.code, g.number",
          {now.us, Instant::at_start_of(*Date::parse(begins)).us});
      while (rows.next()) {
        standing.push_back({std::string(rows.text(1)),
                            std::string(rows.text(0)),
                            {rows.integer(2), std::string(rows.text(3)), std::string(rows.text(4))}});
      }
    }
    for (const Standing& each : standing) {
      const cases::Unit unit = signing_unit(on, *reader, each.unit, each.concern, now);
      Campaign& campaign = campaigns[unit.code];
      campaign.unit = unit.id;
      campaign.grants.emplace_back(each.number);
    }
  }
  int count = 0;
  for (const auto& [unit, campaign] : campaigns) {
    int64_t outbox = 0;
    {
      const db::Store::Lease writer = on.store.writer();
      db::Transaction transaction(*writer, db::Transaction::Mode::write);
      // One a term and unit, whichever node comes first.
      if (cases::next_number(*writer, "confirmation/" + term + "/" + unit) != 1) continue;
      const json::object input{
          {"content", json::object{{"unit", campaign.unit}, {"term", term}, {"grants", campaign.grants}}}};
      const Result<cases::Taken> taken =
          engine.open_within(*writer, cases::Engine::clock_actor(), kConfirmation.name, "open", input, false);
      if (!taken) continue;
      outbox = taken->outbox;
      transaction.commit();
    }
    on.recorder.deliver(outbox);
    ++count;
  }
  return count;
}

}  // namespace

namespace {

// What a form needs to write conditions over a field that its reader may not query yet.
void write_for_conditions(const catalog::Catalogue& catalogue, const catalog::Field& field, JsonWriter& out) {
  out.field("type", catalog::type_name(field.type));
  if (field.type == catalog::Type::decimal) out.field("places", field.size);
  if (!field.example.empty()) out.field("example", field.example);
  out.key("operators").array();
  for (const catalog::Op op : catalog::ops_of(field)) out.value(catalog::op_name(op));
  out.end_array();
  if (field.type == catalog::Type::ref) {
    const catalog::Dataset& target = catalogue.datasets[static_cast<size_t>(field.ref)];
    out.key("ref").object().field("dataset", target.name).end_object();
  }
  if (field.type != catalog::Type::code) return;
  out.key("codes").array();
  for (const catalog::Code& code : catalogue.code_sets[static_cast<size_t>(field.code_set)].codes)
    out.object().field("code", code.code).field("name", code.name).end_object();
  out.end_array();
}

void write_codes(const catalog::Catalogue& catalogue, std::string_view set, JsonWriter& out) {
  out.array();
  for (const catalog::Code& code : catalogue.code_sets[static_cast<size_t>(catalogue.code_set(set))].codes)
    out.object().field("name", code.code).field("label", code.name).end_object();
  out.end_array();
}

}  // namespace

namespace {

// The rows that a post has to do with: proposed to whoever holds it, nearest first.
struct Near {
  std::string_view post, relation;
};
constexpr Near kNear[] = {{"teacher", "section"}, {"teacher", "taught"}, {"class_adviser", "class"}, {kHead, "unit"}};

std::string_view rows_proposed(const catalog::Catalogue& catalogue, const catalog::Dataset& dataset,
                               const cases::Actor& asker) {
  for (const Near& near : kNear) {
    if (asker.held(near.post) == nullptr) continue;
    for (const catalog::Binding& binding : dataset.bindings) {
      if (catalogue.relations[static_cast<size_t>(binding.relation)].name == near.relation) return near.relation;
    }
  }
  return dataset.bindings.empty() ? "all" : "";  // what has to do with nobody is asked for whole
}

// Sensitive fields masked where they have a mask, left out where not: the least that may do (§2.4.3).
std::string_view sight_proposed(const catalog::Field& field) {
  if (field.level < catalog::Level::sensitive) return "clear";
  return field.mask.kind != catalog::Mask::Kind::none ? "masked" : "none";
}

void write_holders(const cases::Services& on, db::Connection& reader, const cases::Actor& asker, JsonWriter& out) {
  out.key("holders").array();
  const auto rules = on.policy.rules();
  const policy::Regulation& regulation = rules->regulation();
  for (const cases::Actor::Held& held : asker.posts) {
    if (!can_be_holder(held)) continue;
    const cases::Unit unit = cases::find_unit(reader, held.unit);
    out.object().field("post", held.post);
    out.field("label", regulation.posts.at(static_cast<size_t>(regulation.post(held.post))).label);
    out.key("unit").object().field("code", unit.code).field("name", unit.name).end_object().end_object();
  }
  out.end_array();
}

}  // namespace

std::string catalogue_json(const cases::Services& on, db::Connection& reader, const cases::Actor& asker) {
  const catalog::Catalogue& catalogue = on.catalogue;
  std::string text;
  JsonWriter out(text);
  out.object();
  write_holders(on, reader, asker, out);
  out.key("purposes");
  write_codes(catalogue, "PURPOSE", out);
  out.key("actions");
  write_codes(catalogue, "ACTION", out);
  out.key("datasets").array();
  for (const catalog::Dataset& dataset : catalogue.datasets) {
    if (dataset.by_kernel) continue;
    out.object().field("name", dataset.name).field("label", dataset.label).field("module", dataset.module);
    out.field("owner_unit", dataset.owner_unit).field("rows", rows_proposed(catalogue, dataset, asker));
    out.key("fields").array();
    for (const catalog::Field& field : dataset.fields) {
      out.object().field("name", field.name).field("label", field.label).field("level", static_cast<int>(field.level));
      out.field("masked", field.mask.kind != catalog::Mask::Kind::none).field("sight", sight_proposed(field));
      if (field.help) out.field("help", *field.help);
      write_for_conditions(catalogue, field, out);
      out.end_object();
    }
    out.end_array().key("relations").array();
    for (const catalog::Binding& binding : dataset.bindings) {
      const catalog::Relation& relation = catalogue.relations[static_cast<size_t>(binding.relation)];
      out.object().field("name", relation.name).field("label", relation.label).end_object();
    }
    out.end_array().end_object();
  }
  out.end_array().end_object();
  return text;
}

int tend(cases::Engine& engine, Instant now) {
  return turn_states(engine, now) + follow_posts(engine, now) + open_campaigns(engine, now);
}

}  // namespace jw::access
