// jiaowu serve
#include <signal.h>
#include <sys/wait.h>

#include <cstdlib>
#include <iostream>
#include <thread>

#include "app/commands.hpp"
#include "app/description.hpp"
#include "app/post_office.hpp"
#include "app/rounds.hpp"
#include "app/routes.hpp"
#include "base/text.hpp"
#include "platform/http/metrics.hpp"
#include "platform/log/api.hpp"

namespace jw::app {

namespace {

const std::set<std::string> kOptions =
    edge::with_store({"listen", "clock", "witness", "public-url", "certificate", "key", "log", "node", "workers",
                      "io-threads", "trusted-proxy", "every", "smtp", "smtp-user", "smtp-password-file", "smtp-tls",
                      "mail-from", "mail-ca", "metrics-token-file"});

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
    throw edge::UsageError(
        "--listen 应为 主机:端口，如 127.0.0.1:8080 / --listen is HOST:PORT, such as 127.0.0.1:8080");
  }
  return {text.substr(0, colon), static_cast<uint16_t>(port)};
}

std::vector<std::pair<std::string, std::string>> security_headers() {
  return {
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
}

void warn_of(const System& system) {
  for (const Text& each : system.loose) {
    std::cerr << "警告 / warning: " << each.zh << " / " << each.en << '\n';
    log::warning("serve.belt_loose");
  }
  for (const Text& each : system.policy->rules()->closed()) {
    std::cerr << "警告 / warning: " << each.zh << " / " << each.en << '\n';
    log::warning("serve.rule_closed");
  }
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
      [](const Refusal& refusal, int status, std::string_view id) {
        return edge::problem_with_status(refusal, status, id);
      },
      options);
}

http::Options http_options(const edge::Arguments& arguments, const std::string& host, uint16_t port, int workers,
                           int cores) {
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
  if (http.certificate_file.empty() != http.key_file.empty())
    throw edge::UsageError("--certificate 和 --key 要一起给出 / --certificate and --key go together");
  http.headers = security_headers();
  http.secure_headers = {{"Strict-Transport-Security", "max-age=31536000"}};
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

// The whole route table: the kernel's rows, those of every module, and of whoever measures.
std::vector<http::Route> table_of(edge::House& house, std::span<const edge::Route> further) {
  std::vector<http::Route> all;
  const auto add = [&](std::span<const edge::Route> routes) {
    for (http::Route& route : edge::table(house, routes)) all.push_back(std::move(route));
  };
  for (const std::span<const edge::Route> rows : route_tables(house.made_up)) add(rows);
  add(further);
  return all;
}

SystemOptions system_options(const edge::Arguments& arguments, const std::string& host, uint16_t port, int workers) {
  SystemOptions options = options_of(arguments, false);
  options.clock_file = arguments.option("clock").value_or("");
  options.witness = arguments.option("witness").value_or("");
  options.public_url =
      public_url_of(arguments.option("public-url").value_or("http://" + host + ":" + std::to_string(port)));
  options.node = arguments.option("node").value_or("server");
  options.heavy_threads = std::max(1, workers / 2);
  options.readers = workers + options.heavy_threads + 4;
  return options;
}

// Until a signal says that it is enough; SIGHUP begins new log files and reads the certificate again.
void wait_for_end(const sigset_t& signals, http::Server& server, bool tls) {
  for (;;) {
    int signal = 0;
    sigwait(&signals, &signal);
    if (signal != SIGHUP) return;
    log::reopen();
    try {
      if (tls) server.reload_certificate();
    } catch (const std::exception&) {
      log::error("serve.certificate_not_read");
    }
  }
}

http::Response problem(const Refusal& refusal, int status, std::string_view id) {
  return edge::problem_with_status(refusal, status, id);
}

void say_address(const http::Server& server, const std::string& host, bool tls) {
  std::cout << "jiaowu: " << (tls ? "https://" : "http://") << host << ":" << server.port() << "/" << '\n'
            << std::flush;
}

// Store and record are not of one another: whoever watches over the server is told what is wrong and what to do, and
// nobody is answered, since no answer could be evidence.
int serve_closed(const record::Apart& apart, const edge::Arguments& arguments, const std::string& host, uint16_t port,
                 const sigset_t& signals) {
  const Text &why = apart.text(), &advice = record::apart_advice();
  const Refusal told{Code::unavailable, "record.apart", {why.zh + "。" + advice.zh, why.en + ": " + advice.en}};
  const Refusal closed{Code::unavailable,
                       "record.apart",
                       {"系统暂停服务，请联系系统管理员", "the system is closed; whoever runs it knows what to do"}};
  std::cerr << "jiaowu serve: " << told.detail.zh << " / " << told.detail.en << '\n';
  log::error("serve.apart");
  const auto answer = [](const Refusal& refusal) {
    return [refusal](const http::Request& request, const http::Respond& respond) {
      http::Response response = edge::problem_with_status(refusal, 503, request.id);
      response.headers.emplace_back("Retry-After", "60");
      respond(std::move(response));
    };
  };
  std::vector<http::Route> table;
  table.push_back({.verb = http::Verb::get, .path = "/readyz", .handler = answer(told), .blocking = false});
  const http::Options http = http_options(arguments, host, port, 1, 1);
  const bool tls = !http.certificate_file.empty();
  const std::unique_ptr<http::Server> server =
      http::Server::start(http, std::move(table), answer(closed), problem, http::access_log());
  say_address(*server, host, tls);
  wait_for_end(signals, *server, tls);
  server->stop(std::chrono::seconds(10));
  log::flush();
  return 1;
}

}  // namespace

int serve(const edge::Words& words) {
  return serve_with(words, {});
}

int serve_with(const edge::Words& words, std::span<const edge::Route> further) {
  const edge::Arguments arguments(words, kOptions, {});
  const auto [host, port] = listen_address(arguments.option("listen").value_or("127.0.0.1:8080"));
  const sigset_t signals = block_signals();
  log::start({.file = arguments.option("log").value_or("")});
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const int workers = static_cast<int>(arguments.number("workers", std::max(4, 2 * cores), 1, 256));
  std::unique_ptr<System> system;
  try {
    system = open_system(system_options(arguments, host, port, workers));
  } catch (const record::Apart& apart) {
    return serve_closed(apart, arguments, host, port, signals);
  }
  edge::House& house = *system->house;
  warn_of(*system);
  const http::Options http = http_options(arguments, host, port, workers, cores);
  const bool tls = !http.certificate_file.empty();
  std::vector<edge::Round> due = rounds();
  PostOffice* mail = nullptr;
  if (auto post = PostOffice::open(house, system->options.public_url, arguments)) {
    mail = &house.parts.keep(std::move(post));
    due.push_back({"mail", kMailEvery, deliver_mail});
  }
  Condition& condition = house.parts.keep(std::make_unique<Condition>(house, system->loose, system->store->folder()));
  if (const auto file = arguments.option("metrics-token-file"))
    condition.metrics_token = secret_in("metrics-token-file", *file);
  std::vector<http::Route> table = table_of(house, further);
  condition.described = std::make_shared<const std::string>(description(house.home, house.catalogue, house.made_up));
  const auto finished = http::all_of({http::request_metrics(house.metrics, table), http::access_log()});
  const std::unique_ptr<http::Server> server =
      http::Server::start(http, std::move(table), web_files(system->options.home), problem, finished);
  {
    const Rounds round(house, std::move(due), arguments.option("every").value_or(""));
    say_address(*server, host, tls);
    log::info("serve.ready", {{"port", server->port()}, {"made_up", system->made_up}});
    wait_for_end(signals, *server, tls);
    server->stop(std::chrono::seconds(10));
    if (mail != nullptr) mail->stop();
  }
  log::info("serve.stopped");
  log::flush();
  return 0;
}

}  // namespace jw::app
