// jiaowu serve
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#include "app/arguments.hpp"
#include "app/cases.hpp"
#include "app/commands.hpp"
#include "app/dictionary.hpp"
#include "app/lending_rounds.hpp"
#include "app/post_office.hpp"
#include "app/problem.hpp"
#include "app/schemas.hpp"
#include "app/serving.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/catalog/schema.hpp"
#include "platform/http/metrics.hpp"
#include "platform/log/api.hpp"

namespace jw::app {

namespace {

const std::set<std::string> kOptions = {
    "db",
    "listen",
    "home",
    "clock",
    "witness",
    "public-url",
    "certificate",
    "key",
    "log",
    "node",
    "workers",
    "io-threads",
    "trusted-proxy",
    "lending-every",
    "upkeep-every",
    "smtp",
    "smtp-user",
    "smtp-password-file",
    "smtp-tls",
    "mail-from",
    "mail-ca",
};

std::pair<std::string, uint16_t> listen_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  int port = -1;
  if (colon != std::string::npos) {
    try {
      port = std::stoi(text.substr(colon + 1));
    } catch (const std::exception&) {
      port = -1;
    }
  }
  if (colon == 0 || colon == std::string::npos || port < 0 || port > 65535) {
    throw UsageError("--listen 应为 主机:端口，如 127.0.0.1:8080 / --listen is HOST:PORT, such as 127.0.0.1:8080");
  }
  return {text.substr(0, colon), static_cast<uint16_t>(port)};
}

std::vector<std::pair<std::string, std::string>> security_headers(bool tls) {
  std::vector<std::pair<std::string, std::string>> headers = {
      {"X-Content-Type-Options", "nosniff"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
      {"Content-Security-Policy",
       "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self'; connect-src "
       "'self'; object-src 'none'; "
       "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"},
  };
  if (tls) headers.emplace_back("Strict-Transport-Security", "max-age=31536000");
  return headers;
}

// Whether the tables are still those of the catalogue: looked up now and then only, as anybody may ask.
class Drift {
 public:
  explicit Drift(System& system) : system_(system) {}
  std::vector<Text> now() {
    const std::lock_guard lock(mutex_);
    const auto time = std::chrono::steady_clock::now();
    if (looked_ && time - *looked_ < std::chrono::seconds(30)) return found_;
    const db::Store::Lease lease = system_.store->private_reader();
    found_ = catalog::schema_drift(*system_.catalogue, *lease);
    looked_ = time;
    return found_;
  }

 private:
  System& system_;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> looked_;
  std::vector<Text> found_;
};

void ready(Serving& serving, Drift& drift, const http::Request& request, const http::Respond& respond) {
  System& system = serving.system;
  if (!system.recorder->healthy()) {
    return respond(problem({Code::unavailable, "record.not_durable", {"查询记录无法保存", "the record cannot be kept"}},
                           request.id));
  }
  {
    const db::Store::Lease lease = system.store->reader();
    lease->query("SELECT epoch FROM gate WHERE id = 1").next();
  }
  http::Response response;
  JsonWriter json(response.body);
  json.object().field("status", "ready").key("problems").array();
  for (const std::vector<Text>& some : {system.recorder->problems(), system.loose, drift.now()}) {
    for (const Text& each : some) json.value(each);
  }
  json.end_array().end_object();
  respond(std::move(response));
}

void warn_of(const System& system) {
  for (const Text& each : system.loose) {
    std::cerr << "警告 / warning: " << each.zh << " / " << each.en << '\n';
    log::warning("serve.belt_loose");
  }
}

std::vector<http::Route> operation_routes(Serving& serving) {
  using http::Verb;
  return {
      {.verb = Verb::get,
       .path = "/healthz",
       .needs = http::kPublic,
       .handler = [](http::Request, http::Respond respond) { respond({.body = "{\"status\":\"ok\"}"}); },
       .summary = {"进程在运行", "the process runs"},
       .blocking = false},
      {.verb = Verb::get,
       .path = "/readyz",
       .needs = http::kPublic,
       .handler = [&serving, drift = std::make_shared<Drift>(serving.system)](
                      http::Request request, http::Respond respond) { ready(serving, *drift, request, respond); },
       .summary = {"可以提供服务", "ready to serve"}},
      {.verb = Verb::get,
       .path = "/metrics",
       .needs = http::kPublic,
       .handler =
           [&serving](http::Request, http::Respond respond) {
             serving.metrics.gauge("jiaowu_record_leaves", "Leaves in the record.")
                 .set(static_cast<int64_t>(serving.system.recorder->size()));
             serving.metrics.gauge("jiaowu_plans", "Statements in the plan cache.")
                 .set(static_cast<int64_t>(serving.system.engine->plans()));
             serving.metrics.gauge("jiaowu_record_healthy", "1 while the record can be written.")
                 .set(serving.system.recorder->healthy() ? 1 : 0);
             const identity::Counters& door = serving.system.identity->counters();
             serving.metrics.gauge("jiaowu_sign_ins", "Sign-ins that succeeded.")
                 .set(static_cast<int64_t>(door.signed_in.load()));
             serving.metrics.gauge("jiaowu_sign_ins_refused", "Sign-ins refused.")
                 .set(static_cast<int64_t>(door.refused.load()));
             respond({.body = serving.metrics.text(), .content_type = log::kMetricsType});
           },
       .summary = {"运行指标", "metrics"}},
  };
}

http::Handler web_files(const std::filesystem::path& home) {
  const std::filesystem::path folder = home / "web" / "dist";
  if (!std::filesystem::exists(folder / "index.html")) {
    log::warning("serve.no_web");
    return {};
  }
  http::StaticOptions options;
  options.not_pages = {"/api"};
  return http::static_files(
      folder.string(),
      [](const Refusal& refusal, int status, std::string_view id) { return problem_with_status(refusal, status, id); },
      options);
}

lending::Network zones_of(const std::filesystem::path& home) {
  auto read = lending::load_network(home);
  if (auto* problems = std::get_if<std::vector<catalog::FileProblem>>(&read)) {
    std::string text = "regulation/network.toml 有误 / has mistakes:";
    for (const catalog::FileProblem& each : *problems) text += "\n  " + each.print();
    throw std::runtime_error(text);
  }
  return std::get<lending::Network>(std::move(read));
}

http::Options http_options(const Arguments& arguments, const std::string& host, uint16_t port, int workers, int cores) {
  http::Options http;
  http.host = host;
  http.port = port;
  http.workers = workers;
  http.io_threads = static_cast<int>(arguments.number("io-threads", std::max(1, cores / 2), 1, 64));
  // Behind a proxy the address of a person is the last hop of X-Forwarded-For that is none of these (§2.5.3 needs it).
  if (const auto proxies = arguments.option("trusted-proxy")) {
    for (const std::string_view each : split(*proxies, ',')) http.trusted_proxies.emplace_back(each);
  }
  http.certificate_file = arguments.option("certificate").value_or("");
  http.key_file = arguments.option("key").value_or("");
  const bool tls = !http.certificate_file.empty();
  if (tls == http.key_file.empty())
    throw UsageError("--certificate 和 --key 要一起给出 / --certificate and --key go together");
  http.headers = security_headers(tls);
  return http;
}

// Signals are waited for by the main thread; every other thread has them blocked.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return set;
}

}  // namespace

int serve(const Words& words) {
  return serve_with(words, [](Serving&) { return std::vector<http::Route>{}; });
}

int serve_with(const Words& words, const std::function<std::vector<http::Route>(Serving&)>& further) {
  const Arguments arguments(words, kOptions, {});
  const auto [host, port] = listen_address(arguments.option("listen").value_or("127.0.0.1:8080"));
  const sigset_t signals = block_signals();
  log::start({.file = arguments.option("log").value_or("")});

  SystemOptions options;
  options.db = arguments.required("db");
  options.home = find_home(arguments.option("home").value_or(""));
  options.clock_file = arguments.option("clock").value_or("");
  options.witness = arguments.option("witness").value_or("");
  options.public_url =
      public_url_of(arguments.option("public-url").value_or("http://" + host + ":" + std::to_string(port)));
  options.node = arguments.option("node").value_or("server");
  options.create = true;
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const int workers = static_cast<int>(arguments.number("workers", std::max(4, 2 * cores), 1, 256));
  options.readers = workers + 4;
  const std::unique_ptr<System> system = open_system(options);
  warn_of(*system);

  lending::Watch lending({*system->store, *system->identity, *system->recorder, *system->policy, *system->clock},
                         zones_of(options.home), suspension_case(*system));
  log::Metrics metrics;
  Serving serving{*system, metrics, lending};
  const http::Options http = http_options(arguments, host, port, workers, cores);
  const bool tls = !http.certificate_file.empty();
  serving.cross_origin_cookie_secure = tls;
  const std::unique_ptr<PostOffice> post = PostOffice::open(*system, arguments);

  std::vector<http::Route> table = routes(serving);
  for (http::Route& route : operation_routes(serving)) table.push_back(std::move(route));
  for (http::Route& route : further(serving)) table.push_back(std::move(route));
  const auto described = std::make_shared<std::string>();
  table.push_back(
      {.verb = http::Verb::get,
       .path = "/api/dictionary",
       .needs = http::kPublic,
       .handler =
           [&system](http::Request, http::Respond respond) {
             respond({.body = data_dictionary(*system->catalogue), .content_type = "text/markdown; charset=utf-8"});
           },
       .summary = {"数据字典（§4.1.1）", "the data dictionary (§4.1.1)"}});
  table.push_back({.verb = http::Verb::get,
                   .path = "/api/openapi.json",
                   .needs = http::kPublic,
                   .handler = [described](http::Request, http::Respond respond) { respond({.body = *described}); },
                   .summary = {"本接口的 OpenAPI 描述", "the OpenAPI description of this interface"},
                   .response_schema = R"({"type":"object"})",
                   .blocking = false});
  *described = http::openapi(table, "Jiaowu 教务", "1", schemas(*system->catalogue));
  const auto finished = http::all_of({http::request_metrics(metrics, table), http::access_log()});
  const std::unique_ptr<http::Server> server = http::Server::start(
      http, std::move(table), [](const http::Route&, http::Request&) { return std::nullopt; }, web_files(options.home),
      [](const Refusal& refusal, int status, std::string_view id) { return problem_with_status(refusal, status, id); },
      finished);
  const LendingRounds rounds(lending, std::chrono::seconds(arguments.number("lending-every", 60, 1, 3600)));
  const Upkeep upkeep(*system, std::chrono::seconds(arguments.number("upkeep-every", 5, 1, 3600)));
  std::cout << "jiaowu: " << (tls ? "https://" : "http://") << host << ":" << server->port() << "/" << '\n'
            << std::flush;
  log::info("serve.ready", {{"port", server->port()}, {"made_up", system->made_up}});

  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) break;
    log::reopen();
    try {
      if (tls) server->reload_certificate();
    } catch (const std::exception&) {
      log::error("serve.certificate_not_read");
    }
  }
  server->stop(std::chrono::seconds(10));
  log::info("serve.stopped");
  log::flush();
  return 0;
}

}  // namespace jw::app
