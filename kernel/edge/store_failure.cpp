#include "kernel/edge/store_failure.hpp"

#include "platform/db/api.hpp"
#include "platform/log/api.hpp"

namespace jw::edge {

void told_when_the_store_fails(const std::function<void()>& work, const std::function<void(const Refusal&)>& tell) {
  try {
    work();
  } catch (const db::Error& error) {
    switch (error.failure()) {
      case db::Failure::busy:
      case db::Failure::full:
      case db::Failure::unavailable:
        log::error("edge.store_unavailable", {{"error", error.what()}});
        return tell({Code::unavailable,
                     "http.store_unavailable",
                     {"数据库暂时不能读写，请稍后重试；若正在办理，请先看是否已办好",
                      "the store cannot be read or written now: try again shortly; if you were acting, look first "
                      "whether it is done"}});
      case db::Failure::timeout:
        log::error("edge.store_timeout", {{"error", error.what()}});
        return tell({Code::timeout,
                     "http.store_timeout",
                     {"数据库处理超时，请稍后重试", "the store took too long: try again shortly"}});
      default:
        throw;
    }
  }
}

}  // namespace jw::edge
