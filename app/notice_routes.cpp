// One's own notices (design §8): how many wait, and that they were seen. They are read as dataset `notice`.
#include <boost/json.hpp>

#include "app/routes.hpp"
#include "base/json.hpp"
#include "kernel/notice/api.hpp"

namespace jw::app {

namespace json = boost::json;
using edge::Call;

namespace {

constexpr size_t kMarkedMost = 1000;

// A number of the bell, asked for often: it tells nothing, so nothing is recorded.
Result<std::string> count(const Call& call) {
  std::string body;
  const db::Store::Lease reader = call.house().store.reader();
  JsonWriter(body).object().field("unread", notice::unread(*reader, call.session().account)).end_object();
  return body;
}

// The notices named; empty = all.
Result<std::vector<int64_t>> marked_in(const json::object& object) {
  const Refusal wrong{Code::unprocessable,
                      "notice.which",
                      {"请给出 ids 或 all", "either ids or all, please"},
                      {{"ids", "required", {"应为 1 至 1000 个编号", "must be 1 to 1000 ids"}}}};
  const json::value* all = object.if_contains("all");
  const json::value* ids = object.if_contains("ids");
  if ((all == nullptr) == (ids == nullptr)) return wrong;
  if (all != nullptr) return *all == json::value(true) ? Result<std::vector<int64_t>>(std::vector<int64_t>{}) : wrong;
  const json::array* array = ids->if_array();
  if (array == nullptr || array->empty() || array->size() > kMarkedMost) return wrong;
  std::vector<int64_t> marked;
  for (const json::value& id : *array) {
    if (!id.is_int64()) return wrong;
    marked.push_back(id.get_int64());
  }
  return marked;
}

void mark(const Call& call) {
  edge::act(call,
            {"notices_read", "2.4.2", edge::Signing::none("who marks own notices as seen changes nothing for anybody")},
            [](edge::Doing& doing) -> Result<std::string> {
              JW_TRY(const std::vector<int64_t> ids, marked_in(doing.body));
              const int64_t marked = notice::mark_read(doing.transaction, doing.by.account, ids, doing.now);
              doing.entry.rows = marked;
              doing.nothing = marked == 0;
              std::string text;
              JsonWriter out(text);
              out.object().field("marked", marked);
              out.field("unread", notice::unread(doing.transaction, doing.by.account)).end_object();
              return text;
            });
}

const edge::Route kRoutes[] = {
    {.verb = edge::Verb::get,
     .path = "/api/notices/unread",
     .needs = edge::Needs::session(),
     .run = edge::saying<count>,
     .summary = {"未读通知数", "how many notices are unread"},
     .response = "Unread"},
    {.verb = edge::Verb::post,
     .path = "/api/notices/read",
     .needs = edge::Needs::session(),
     .run = mark,
     .summary = {"标为已读", "mark as seen"},
     .request = "NoticesMark",
     .response = "NoticesMarked",
     .body_max = 64 * 1024,
     .does = edge::Does::looks},
};

}  // namespace

std::span<const edge::Route> notice_routes() {
  return kRoutes;
}

}  // namespace jw::app
