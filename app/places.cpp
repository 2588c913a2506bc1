// The kernel's own places of the pages; those of a procedure stand in its module.
#include "app/modules.hpp"
#include "app/routes.hpp"
#include "kernel/notice/api.hpp"

namespace jw::app {

using edge::Call;
using edge::may_query;

namespace {

bool has_grades(const Call& call) {
  return may_query(call, "grade", {"self"});
}
bool has_timetable(const Call& call) {
  return may_query(call, "meeting", {"enrolled", "section"});
}
bool teaches(const Call& call) {
  return may_query(call, "section", {"section"});
}
bool leads_class(const Call& call) {
  return may_query(call, "student", {"class"});
}
bool has_data(const Call& call) {
  return call.house().engine.modules_json(call.asker()) != "[]";
}
bool has_cases(const Call& call) {
  return may_query(call, "case");
}
bool has_desk(const Call& call) {
  return call.house().cases.serves(call.actor());
}
bool has_deputies(const Call& call) {
  return may_query(call, "deputy");
}
int64_t unread(const Call& call) {
  const db::Store::Lease reader = call.house().store.reader();
  return notice::unread(*reader, call.session().account);
}

constexpr auto kEverybody = edge::everybody;

const edge::Place kFirst[] = {
    {.name = "home", .label = {"首页", "Home"}, .open = kEverybody},
    {.name = "grades", .label = {"成绩", "Grades"}, .open = has_grades},
    {.name = "timetable", .label = {"课表", "Timetable"}, .open = has_timetable},
    {.name = "sections", .label = {"教学班", "Sections"}, .open = teaches},
    {.name = "class", .label = {"班级", "Class"}, .open = leads_class},
    {.name = "modules", .label = {"查询", "Query"}, .open = has_data},
    {.name = "cases", .label = {"办件", "Cases"}, .open = has_cases},
    // All cases that one may see, beside those that wait for one and the own: for whoever carries them out.
    {.name = "desk", .label = {"全部办件", "All cases"}, .open = has_desk},
    {.name = "deputies", .label = {"代理", "Deputies"}, .open = has_deputies},
    {.name = "notices", .label = {"通知", "Notices"}, .open = kEverybody, .count = unread},
};
const edge::Place kLast[] = {{.name = "me", .label = {"我的", "Me"}, .open = kEverybody}};

}  // namespace

void write_places(const Call& call, JsonWriter& out) {
  out.key("places").array();
  edge::write_places(call, kFirst, out);
  for (const edge::Module* module : modules()) {
    if (call.house().made_up || !module->made_up_only) edge::write_places(call, module->places, out);
  }
  edge::write_places(call, kLast, out);
  out.end_array();
}

}  // namespace jw::app
