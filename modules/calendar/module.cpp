// The calendar of working days (§2.4.2): by it deadlines are counted. Its arithmetic is kernel/calendar.
#include "modules/calendar/calendar.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "kernel/calendar/edit.hpp"

namespace jw::calendar {

namespace {

// A store without a calendar gets the years of the file (design §1.3: it is what a new school starts with).
void open(edge::House& house) {
  {
    const db::Store::Lease reader = house.store.reader();
    if (version(*reader) > 0) return;
  }
  const std::string shown = "modules/calendar/years.toml";
  std::ifstream in(house.home / shown);
  std::stringstream text;
  text << in.rdbuf();
  auto years = read_years(text.str(), shown);
  if (const auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&years))
    throw std::runtime_error(catalog::print(shown + " 有误 / has mistakes:", *problems));
  int64_t outbox = 0;
  {
    const db::Store::Lease writer = house.store.writer();
    db::Transaction transaction(*writer, db::Transaction::Mode::write);
    outbox = start(*writer, house.recorder, std::get<std::vector<Year>>(years), house.clock.now());
    transaction.commit();
  }
  if (outbox != 0) house.recorder.deliver(outbox);
}

constexpr edge::Command kCommands[] = {
    {"calendar",
     "calendar import FILE --db URL [--reason TEXT] [--check] [--key-file FILE]\n      导入某年的放假安排 / import the "
     "days off of a "
     "year",
     command},
};

const edge::Place kPlaces[] = {{.name = "calendar", .label = {"校历", "Calendar"}, .open = edge::everybody}};

}  // namespace

extern const edge::Module kModule;
const edge::Module kModule{
    .name = "calendar",
    .label = {"校历", "calendar"},
    .clause = "2.4.2",
    .routes = routes(),
    .places = kPlaces,
    .commands = kCommands,
    .open = open,
};

}  // namespace jw::calendar
