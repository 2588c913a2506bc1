#include "app/serving.hpp"

#include <boost/json.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "app/problem.hpp"
#include "app/restrictions.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "platform/log/api.hpp"

namespace jw::app {

struct Door::Impl {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<std::function<void()>> waiting;
  size_t waiting_max = 0;
  bool stopping = false;
  std::vector<std::thread> threads;

  void work() {
    for (;;) {
      std::function<void()> job;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return stopping || !waiting.empty(); });
        if (waiting.empty()) return;
        job = std::move(waiting.front());
        waiting.pop_front();
      }
      // A store that fails here ends one request with 500 (its Respond goes unanswered), never the server.
      try {
        job();
      } catch (const std::exception& error) {
        log::error("door.failed", {{"error", error.what()}});
      }
      job = nullptr;
    }
  }
};

Door::Door(int threads, size_t waiting_max) : impl_(std::make_unique<Impl>()) {
  impl_->waiting_max = waiting_max;
  for (int i = 0; i < threads; ++i) impl_->threads.emplace_back([this] { impl_->work(); });
}

Door::~Door() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->wake.notify_all();
  for (std::thread& thread : impl_->threads) thread.join();
}

bool Door::enter(std::function<void()> job) {
  {
    const std::lock_guard lock(impl_->mutex);
    if (impl_->stopping || impl_->waiting.size() >= impl_->waiting_max) return false;
    impl_->waiting.push_back(std::move(job));
  }
  impl_->wake.notify_one();
  return true;
}

void Signatures::put(int64_t session, Instant now) {
  const std::lock_guard lock(mutex_);
  if (signed_.size() > 10'000)
    std::erase_if(signed_, [&](const auto& each) { return each.second.us + kHolds < now.us; });
  signed_[session] = now;
}

bool Signatures::holds(int64_t session, Instant now) const {
  const std::lock_guard lock(mutex_);
  const auto found = signed_.find(session);
  return found != signed_.end() && now.us < found->second.us + kHolds;
}

std::string token_of(const http::Request& request) {
  const std::string_view authorization = request.header("authorization");
  if (authorization.starts_with("Bearer ")) return std::string(authorization.substr(7));
  return std::string(request.cookie(http::kSessionCookie));
}

namespace {

// A live session may still be held, or its account read only.
std::optional<Refusal> restriction(Serving& serving, const identity::Session& session, const identity::Liveness& live,
                                   Alive alive, bool acts) {
  if (live.held && alive != Alive::held_too) return session_held(serving, session.account);
  if (live.read_only && acts) return account_read_only(serving, session.account);
  return std::nullopt;
}

// A refused attempt is on record, too (§6.1.1).
void refuse_restricted(Serving& serving, const identity::Session& session, const http::Request& request,
                       Refusal refusal, http::Respond respond) {
  query::Outcome outcome;
  outcome.entry.time = serving.system.clock->now();
  outcome.entry.kind = "refusal";
  outcome.entry.account = session.account;
  outcome.entry.person = session.person;
  outcome.entry.session = session.id;
  outcome.entry.action = "restricted";
  outcome.entry.decision = refusal.type;
  outcome.result = std::move(refusal);
  release(serving, session, std::move(outcome), request.id, std::move(respond));
}

}  // namespace

http::Handler signed_in(Serving& serving, Governed handler, Alive alive, Does does) {
  return [&serving, handler = std::move(handler), alive, does](http::Request request, http::Respond respond) {
    const bool bearer = request.header("authorization").starts_with("Bearer ");
    if (!bearer && request.verb != http::Verb::get && request.header("x-csrf") != "1") {
      return respond(problem({Code::forbidden, "http.csrf", {"缺少 X-CSRF 请求头", "the header X-CSRF: 1 is missing"}},
                             request.id));
    }
    const std::string token = token_of(request);
    std::shared_ptr<const identity::Session> session =
        token.empty() ? nullptr : serving.system.identity->find_session(token);
    if (session && session->epoch != serving.system.policy->rules()->epoch()) {
      // What the session says of its account may have changed with the epoch.
      serving.system.identity->forget(session->id);
      session = serving.system.identity->find_session(token);
    }
    if (session && alive != Alive::by_gate) {
      std::optional<identity::Liveness> live;
      {
        const db::Store::Lease lease = serving.system.store->reader();
        live = identity::liveness(*lease, session->id, serving.system.clock->now());
      }
      if (live) {
        const bool acts = does == Does::acts || (does == Does::by_verb && request.verb != http::Verb::get);
        if (auto refusal = restriction(serving, *session, *live, alive, acts))
          return refuse_restricted(serving, *session, request, std::move(*refusal), std::move(respond));
      } else {
        serving.system.identity->forget(session->id);
        session = nullptr;
      }
    }
    if (session) serving.lending.note(session->id, session->account, request.remote);
    if (!session) return respond(problem(no_session(serving, token), request.id));
    handler(std::move(request), std::move(session), std::move(respond));
  };
}

policy::Asker asker_of(const identity::Session& session) {
  policy::Asker asker;
  asker.account = session.account;
  asker.person = session.person;
  asker.session = session.id;
  asker.kind = session.kind;
  asker.agreement_due = session.agreement_due;
  return asker;
}

Result<boost::json::value> json_body(const http::Request& request) {
  const Refusal bad{Code::bad_request, "http.not_json", {"请求体应是 UTF-8 的 JSON", "the body must be JSON in UTF-8"}};
  if (!is_valid_utf8(request.body)) return bad;
  boost::system::error_code error;
  boost::json::parse_options options;
  options.max_depth = 40;
  boost::json::value value = boost::json::parse(request.body, error, {}, options);
  if (error) return bad;
  return value;
}

Result<boost::json::object> object_body(const http::Request& request) {
  JW_TRY(boost::json::value body, json_body(request));
  if (!body.is_object())
    return Refusal{Code::bad_request, "http.not_json", {"请求体应是 JSON 对象", "the body must be a JSON object"}};
  return std::move(body.get_object());
}

Result<std::string> text_member(const boost::json::object& body, std::string_view name, std::string shown) {
  const boost::json::value* value = body.if_contains(name);
  if (value != nullptr && value->is_string()) return std::string(value->get_string());
  if (shown.empty()) shown = name;
  return Refusal{Code::unprocessable,
                 "http.field_missing",
                 {"缺少必填项", "a required field is missing"},
                 {{std::move(shown), "required", {"必填，应为文字", "required, as text"}}}};
}

Result<Date> date_member(const boost::json::object& body, std::string_view name) {
  JW_TRY(const std::string text, text_member(body, name));
  if (const auto date = Date::parse(text)) return *date;
  return Refusal{Code::unprocessable,
                 "http.date_invalid",
                 {"日期有误", "the date is not right"},
                 {{std::string(name), "not_a_date", {"应为日期，如 2026-01-24", "must be a date such as 2026-01-24"}}}};
}

http::Response json_response(std::string body) {
  http::Response response;
  response.body = std::move(body);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

void release(Serving& serving, const identity::Session& session, query::Outcome outcome, std::string request_id,
             http::Respond respond) {
  if (const auto* refusal = std::get_if<Refusal>(&outcome.result);
      refusal != nullptr && refusal->code == Code::unauthenticated) {
    serving.system.identity->forget(session.id);
    if (auto why = why_nothing(serving, session)) {
      outcome.entry.decision = why->type;
      outcome.result = std::move(*why);
    }
  }
  if (std::holds_alternative<query::Answer>(outcome.result) && outcome.entry.basis.find("grant:") != std::string::npos)
    serving.system.uses.note(outcome.entry.basis, outcome.entry.time);
  serving.system.recorder->append(
      std::move(outcome.entry), [result = std::move(outcome.result), request_id = std::move(request_id),
                                 respond = std::move(respond)](const std::optional<record::Leaf>& leaf) mutable {
        if (!leaf) {
          return respond(problem({Code::unavailable,
                                  "record.not_durable",
                                  {"查询记录无法保存，因此不能给出结果，请稍后重试",
                                   "the record cannot be kept now, so nothing is answered; try again later"}},
                                 request_id));
        }
        if (const auto* refusal = std::get_if<Refusal>(&result))
          return respond(problem(*refusal, request_id, leaf->id()));
        http::Response response;
        response.body = std::move(std::get<query::Answer>(result).json);
        response.body += ",\"record\":";
        append_json_string(response.body, leaf->id());
        response.body += '}';
        response.headers.emplace_back("Cache-Control", "no-store");
        respond(std::move(response));
      });
}

std::vector<http::Route> routes(Serving& serving) {
  std::vector<http::Route> all;
  for (auto* part :
       {&session_routes, &factor_routes, &lending_routes, &query_routes, &document_routes, &evidence_routes,
        &calendar_routes, &case_routes, &notice_routes, &regulation_routes, &demo_routes}) {
    for (http::Route& route : (*part)(serving)) all.push_back(std::move(route));
  }
  return all;
}

}  // namespace jw::app
