#include "app/cases.hpp"

#include <boost/json.hpp>

#include "kernel/notice/api.hpp"
#include "kernel/paper/api.hpp"
#include "modules/access/api.hpp"
#include "modules/lending/api.hpp"
#include "platform/log/api.hpp"

namespace jw::app {

namespace {

std::string day_in_words(Instant at) {
  const Date date = at.date();
  return std::to_string(date.year()) + "年" + std::to_string(date.month()) + "月" + std::to_string(date.day()) + "日";
}

Result<std::string> print_letter(const std::string& school, const std::string& public_url, const cases::Letter& letter,
                                 const std::string& number, const std::string& code, Instant now) {
  office::Sheet sheet;
  sheet.head = school + letter.from;
  sheet.number = number;
  sheet.title = letter.title;
  sheet.blocks.emplace_back(office::Paragraph{letter.addressee, false});
  for (size_t i = 0; i < letter.paragraphs.size(); ++i) {
    sheet.blocks.emplace_back(office::Paragraph{letter.paragraphs[i]});
    if (i > 0 || letter.table.empty()) continue;
    office::Grid grid;
    for (const auto& [label, value] : letter.table) grid.rows.push_back({{label, value}});
    sheet.blocks.emplace_back(std::move(grid));
  }
  sheet.blocks.emplace_back(office::Closing{letter.from, day_in_words(now)});
  sheet.code = paper::dashed(code);
  sheet.url = public_url + "/v/" + code;
  sheet.made = now;
  return office::pdf_of(sheet);
}

void put_notice(db::Connection& transaction, const cases::Notice& notice, Instant now) {
  notice::Notice out;
  out.account = notice.account;
  out.about = notice.number.empty() ? "" : "case:" + notice.number;
  out.text = notice.text;
  notice::put_notice(transaction, out, now);
}

}  // namespace

std::unique_ptr<cases::Engine> case_engine(System& system) {
  std::string seed, school;
  {
    const db::Store::Lease writer = system.store->writer();
    seed = identity::secret(*writer, "case_signature");
    school = store_fact(*writer, "school_zh");
  }
  cases::Services services{
      .catalogue = *system.catalogue,
      .policy = *system.policy,
      .calendar = system.calendar,
      .recorder = *system.recorder,
      .store = *system.store,
      .clock = *system.clock,
      .notify = put_notice,
      .candidates = access::candidates,
      .print = [school, url = system.options.public_url](
                   const cases::Letter& letter, const std::string& number, const std::string& code,
                   Instant now) { return print_letter(school, url, letter, number, code, now); },
      .live = [](db::Connection& transaction, const policy::Asker& asker,
                 Instant now) { return identity::check_live(transaction, asker.session, now).has_value(); },
      .restore =
          [&system](db::Connection& transaction, int64_t account, std::string_view reason) {
            lending::Hand hand;
            hand.name = "办件";
            return lending::lift_within(transaction, *system.identity, account, hand, reason, system.clock->now());
          },
      .kinds = access::kinds(),
      .signing_seed = std::move(seed),
  };
  return std::make_unique<cases::Engine>(std::move(services));
}

lending::OnSuspended suspension_case(System& system) {
  return [&system](db::Connection& transaction, int64_t account, const std::vector<lending::Stored>& findings) {
    boost::json::object content{{"account", account}};
    {
      db::Rows rows =
          transaction.query("SELECT login, display_name, COALESCE(person_id, 0) FROM account WHERE id = $1", {account});
      if (!rows.next()) throw std::logic_error("a suspended account that is not there");
      content["applicant"] = std::string(rows.text(0));
      content["applicant_name"] = std::string(rows.text(1));
      content["person"] = rows.integer(2);
    }
    boost::json::array seen;
    for (const lending::Stored& each : findings) {
      seen.push_back(boost::json::object{{"finding", each.id},
                                         {"rule", each.rule},
                                         {"score", each.score},
                                         {"seen", boost::json::object{{"zh", each.seen.zh}, {"en", each.seen.en}}}});
    }
    content["findings"] = std::move(seen);
    content["reason"] = "涉嫌账号或权限转借、冒用";
    const auto opened = system.cases->open_within(transaction, cases::Engine::clock_actor(), "suspension", "open",
                                                  {{"content", std::move(content)}}, false);
    if (!opened) throw std::runtime_error("no case of a suspension: " + opened.refusal().type);
  };
}

office::Sheet sheet_of(const cases::Form& form, const std::string& number, Instant now) {
  office::Sheet sheet;
  sheet.number = number;
  sheet.title = form.title;
  office::Grid grid;
  for (const auto& row : form.rows) {
    std::vector<office::Grid::Cell> cells;
    for (const auto& [label, value] : row) cells.push_back({label, value});
    grid.rows.push_back(std::move(cells));
  }
  sheet.blocks.emplace_back(std::move(grid));
  sheet.made = now;
  return sheet;
}

Upkeep::Upkeep(System& system, std::chrono::seconds every)
    : system_(system), every_(every), thread_([this] { run(); }) {}

Upkeep::~Upkeep() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

// Leaves of acts whose transaction was somebody else's, and of a process that ended between commit and delivery.
void Upkeep::deliver_waiting() {
  std::vector<int64_t> waiting;
  {
    const db::Store::Lease reader = system_.store->private_reader();
    db::Rows rows = reader->query("SELECT id FROM record_outbox ORDER BY id LIMIT 100");
    while (rows.next()) waiting.push_back(rows.integer(0));
  }
  for (const int64_t id : waiting) system_.recorder->deliver(id);
}

void Upkeep::run() {
  for (;;) {
    try {
      deliver_waiting();
      {
        const db::Store::Lease reader = system_.store->reader();
        system_.policy->refresh(*reader);
      }
      const Instant now = system_.clock->now();
      system_.cases->tend(now);
      system_.uses.write(*system_.store);
      access::tend(*system_.cases, now);
    } catch (const std::exception& error) {
      log::error("upkeep.failed", {{"what", error.what()}});
    }
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, every_, [this] { return stopping_; })) return;
  }
}

}  // namespace jw::app
