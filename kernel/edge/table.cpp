// Who may call a route, asked in front of every handler.
#include "base/text.hpp"
#include "kernel/edge/api.hpp"
#include "kernel/edge/store_failure.hpp"

namespace jw::edge {

namespace {

using Session = std::shared_ptr<const identity::Session>;

std::string token_of(const http::Request& request) {
  const std::string_view authorization = request.header("authorization");
  if (authorization.starts_with("Bearer ")) return std::string(authorization.substr(7));
  return std::string(request.cookie(request.secure ? http::kSecureSessionCookie : http::kSessionCookie));
}

// A browser that says that another site's page asks: nobody here wants that. One that says nothing is held by the
// content type, which another site's page cannot send unasked (Call::json).
bool is_of_another_site(const http::Request& request) {
  const std::string_view site = request.header("sec-fetch-site");
  return request.verb != Verb::get && (site == "cross-site" || site == "same-site");
}

// For a request whose token opens no session.
Refusal no_session(House& house, const std::string& token) {
  if (!token.empty()) {
    const auto lost = house.identity.lost(token);
    if (lost && lost->suspended) return account_suspended(house, lost->account, Code::unauthenticated);
  }
  return {Code::unauthenticated, "identity.session_ended", {"请先登录", "sign in first"}};
}

// What the session says of its account may have changed with the epoch.
void read_anew_if_older(House& house, const std::string& token, int64_t epoch, Session& session) {
  if (session->epoch == epoch) return;
  house.identity.forget(session->id);
  session = house.identity.find_session(token);
}

Session session_of(House& house, const std::string& token) {
  Session session = house.identity.find_session(token);
  if (session) read_anew_if_older(house, token, house.policy.rules()->epoch(), session);
  return session;
}

record::Hand hand_of(const identity::Session& session) {
  return {session.account, session.person, session.id, session.display_name, {}, {}};
}

std::string posts_in_words(const policy::Regulation& regulation, const policy::Power& power, bool zh) {
  std::string text;
  for (const int post : power.posts) {
    const Text& label = regulation.posts.at(static_cast<size_t>(post)).label;
    if (!text.empty()) text += zh ? "、" : " or ";
    text += zh ? label.zh : label.en;
  }
  return text;
}

// Says who may, and whom to tell: by the regulation in force, never by what is in the data.
Refusal power_missing(const policy::Regulation& regulation, std::string_view name) {
  const policy::Power* known = regulation.power(name);
  if (known == nullptr) {
    return {Code::forbidden,
            "policy.power_missing",
            {"规定中关于这项职权的内容目前无法理解，因此无人可以办理",
             "what the regulation says of this power cannot be understood at present, so nobody may do this"},
            {},
            Remedy{"2.1.1", {"请告知系统管理员", "tell whoever runs the system"}, "", ""}};
  }
  const policy::Power& power = *known;
  const std::string zh = posts_in_words(regulation, power, true), en = posts_in_words(regulation, power, false);
  return {Code::forbidden,
          "policy.power_missing",
          {"「" + power.label.zh + "」由" + zh + "办理（§" + power.clause + "）",
           "this (" + power.label.en + ") is done by: " + en + " (§" + power.clause + ")"},
          {},
          Remedy{power.clause, {"需要办理时，请告知" + zh, "if it is needed, tell: " + en}, "", ""}};
}

// Post and unit in which whoever asks has a power; nullopt: they have not.
std::optional<record::Hand> hand_with(const Call& call, std::string_view power) {
  const policy::Authority& authority = call.authority();
  const int post = authority.rules().empowered(authority.posts(), power);
  for (const policy::HeldPost& held : authority.posts()) {
    if (held.post != post) continue;
    record::Hand hand = call.hand();
    hand.post = authority.rules().regulation().posts.at(static_cast<size_t>(post)).name;
    hand.unit = held.units.empty() ? "" : held.units.front();
    return hand;
  }
  return std::nullopt;
}

bool acts(const Route& route) {
  return route.does == Does::acts || (route.does == Does::by_verb && route.verb != Verb::get);
}

// A live session may still be held, its account read only, or the agreement to be signed before anything is done.
std::optional<Refusal> restriction(House& house, const Route& route, const identity::Session& session,
                                   const identity::Liveness& live) {
  if (live.held && route.alive != Alive::held_too) return session_held(house, session.account);
  if (live.read_only && acts(route)) return account_read_only(house, session.account);
  if (session.agreement_due && acts(route)) return identity::agreement_due();
  return std::nullopt;
}

// What one account may ask, and do, in a minute (regulation/settings.toml, clause 4.3.1); a page never comes near it.
std::optional<Refusal> too_often(House& house, const Route& route, int64_t account) {
  const auto rules = house.policy.rules();
  const auto within = [&](std::string_view name, int64_t whose) {
    for (const policy::Setting& each : rules->regulation().settings) {
      if (each.name == name) return house.turns.ask(whose, each.value * house.leniency, house.clock.now());
    }
    return true;  // a regulation that is not understood as stored bounds nobody: somebody has to mend it
  };
  if (!within("questions_per_minute", account)) {
    return Refusal{Code::too_many,
                   "http.too_often",
                   {"您的请求过于频繁，请稍候再试", "you ask too often: wait a moment, then go on"}};
  }
  // Acts are counted apart: a number below nobody's account.
  if (acts(route) && !within("acts_per_minute", -account)) {
    return Refusal{Code::too_many,
                   "http.acts_too_often",
                   {"您办理、修改得过于频繁，请稍候再试", "you act too often: wait a moment, then go on"}};
  }
  return std::nullopt;
}

void enter(House& house, const Route& route, http::Request request, http::Respond respond) {
  if (is_of_another_site(request)) {
    return respond(problem({Code::forbidden,
                            "http.other_site",
                            {"请求来自其他网站的页面，不予受理", "a page of another site asks; it is not answered"}},
                           request.id));
  }
  if (route.needs.is_open()) return route.run(Call(house, std::move(request), nullptr, {}, std::move(respond)));
  const std::string token = token_of(request);
  const bool bearer = request.header("authorization").starts_with("Bearer ");
  if (!token.empty() && !bearer && request.verb != Verb::get && request.header(http::kCsrfHeader) != "1") {
    return respond(
        problem({Code::forbidden, "http.csrf", {"缺少 X-CSRF 请求头", "the header X-CSRF: 1 is missing"}}, request.id));
  }
  Session session = token.empty() ? nullptr : session_of(house, token);
  std::optional<identity::Liveness> live;
  if (session && route.alive != Alive::by_gate) {
    const db::Store::Lease lease = house.store.reader();
    live = identity::liveness(*lease, session->id, house.clock.now());
  }
  if (live) read_anew_if_older(house, token, live->epoch, session);
  if (session && !live && route.alive != Alive::by_gate) {
    house.identity.forget(session->id);
    session = nullptr;
  }
  if (!session) return respond(problem(no_session(house, token), request.id));
  if (const auto refusal = too_often(house, route, session->account)) return respond(problem(*refusal, request.id));
  house.tell(&Hooks::asked, session->id, session->account, request.remote);
  Call call(house, std::move(request), session, hand_of(*session), std::move(respond));
  if (live) {
    if (auto refusal = restriction(house, route, *session, *live))
      return call.refuse_on_record("restricted", std::move(*refusal));
  }
  if (!route.needs.is_power()) return route.run(call);
  auto hand = hand_with(call, route.needs.name());
  if (!hand) {
    return call.refuse_on_record(route.needs.name(),
                                 power_missing(call.authority().rules().regulation(), route.needs.name()));
  }
  call.set_hand(std::move(*hand));
  route.run(call);
}

}  // namespace

bool empowered(const Call& call, std::string_view power) {
  return hand_with(call, power).has_value();
}

std::vector<http::Route> table(House& house, std::span<const Route> routes) {
  std::vector<http::Route> out;
  const std::shared_ptr<const policy::Rules> rules = house.policy.rules();
  const bool understood = rules->closed().empty();
  for (const Route& route : routes) {
    if (route.needs.is_power() && understood && rules->regulation().power(route.needs.name()) == nullptr)
      throw std::logic_error("the route " + std::string(route.path) +
                             " needs a power that is in no powers: " + std::string(route.needs.name()));
    out.push_back({.verb = route.verb,
                   .path = route.path,
                   .handler =
                       [&house, &route](http::Request request, http::Respond respond) {
                         const std::string id = request.id;
                         told_when_the_store_fails([&] { enter(house, route, std::move(request), respond); },
                                                   [&](const Refusal& refusal) { respond(problem(refusal, id)); });
                       },
                   .body_max = route.body_max,
                   .blocking = route.blocking,
                   .hears_of_too_large = route.hears_of_too_large});
  }
  return out;
}

}  // namespace jw::edge
