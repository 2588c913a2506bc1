// The sender: libcurl speaks SMTP. This file alone includes it.
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <mutex>
#include <stdexcept>

#include "base/text.hpp"
#include "platform/mail/api.hpp"

namespace jw::mail {

namespace {

struct Free {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(char* text) const { curl_free(text); }
};

void start_library() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw std::runtime_error("mail: the library does not start");
}

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  if (const CURLcode code = curl_easy_setopt(easy, option, value); code != CURLE_OK)
    throw std::runtime_error(std::string("mail: ") + curl_easy_strerror(code));
}

std::string part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, 0) != CURLUE_OK) return "";
  const std::unique_ptr<char, Free> owned(text);
  return text;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || (host.starts_with("127.") && std::ranges::all_of(host, [](char c) {
                                                      return c == '.' || (c >= '0' && c <= '9');
                                                    }));
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

Refusal wrong(Text text) {
  return {Code::unprocessable, "mail.options", std::move(text)};
}

// What one send has come to; the callbacks write here.
struct Progress {
  std::string_view left;       // of the message
  std::array<char, 5> verb{};  // the last command sent, upper case
  const std::atomic<bool>* stopping = nullptr;
};

size_t give(char* to, size_t size, size_t count, void* user) {
  auto& progress = *static_cast<Progress*>(user);
  const size_t length = std::min(size * count, progress.left.size());
  std::copy_n(progress.left.data(), length, to);
  progress.left.remove_prefix(length);
  return length;
}

// Only the command word is looked at: what follows it may be a secret. QUIT comes after the answer that counts.
int watch(CURL*, curl_infotype kind, char* data, size_t size, void* user) {
  if (kind != CURLINFO_HEADER_OUT || size < 4) return 0;
  std::array<char, 5> verb{};
  for (size_t i = 0; i < 4; ++i) verb.at(i) = static_cast<char>(std::toupper(static_cast<unsigned char>(data[i])));
  if (std::string_view(verb.data()) != "QUIT") static_cast<Progress*>(user)->verb = verb;
  return 0;
}

int go_on(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Progress*>(user)->stopping->load() ? 1 : 0;
}

size_t drop(char*, size_t size, size_t count, void*) {
  return size * count;
}

// What the server said to the last command, if it was no: 5xx to the addressee or the text is about this message; 5xx
// to anything else (greeting, sign-in, our own address) is about us, and an operator may mend it.
std::optional<Sent> answer_of(long status, std::string_view verb) {
  if (status < 400 || status > 599) return std::nullopt;
  const bool addressee = verb == "RCPT", text = verb == "DATA";
  const std::string reason = (addressee        ? "rcpt_"
                              : text           ? "data_"
                              : verb == "MAIL" ? "mail_"
                                               : "greeting_") +
                             std::to_string(status);
  if (status >= 500 && (addressee || text)) return Sent{Outcome::refused, reason};
  // 421: the server closes whatever the command was (RFC 5321 §3.8).
  return Sent{Outcome::try_later, reason, status == 421 || !(addressee || text)};
}

Sent outcome_of(CURLcode code, long status, std::string_view verb) {
  if (code == CURLE_OK) return {Outcome::sent, "sent"};
  const auto away = [](const char* reason) { return Sent{Outcome::try_later, reason, true}; };
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return away("resolve");
    case CURLE_COULDNT_CONNECT:
      return away("connect");
    case CURLE_OPERATION_TIMEDOUT:
      return away("timeout");
    case CURLE_LOGIN_DENIED:
      return away("sign_in");
    case CURLE_ABORTED_BY_CALLBACK:
      return away("stopped");
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
      return away("tls");
    default:
      break;
  }
  if (auto said = answer_of(status, verb)) return *said;
  return away("network");
}

}  // namespace

class Mailer::Line {
 public:
  Line(Options options, bool tls_from_start) : options_(std::move(options)), tls_from_start_(tls_from_start) {
    start_library();
    progress_.stopping = &stopping_;
  }

  Sent send(const Message& message);
  void hang_up() {
    const std::lock_guard lock(mutex_);
    easy_.reset();
  }
  void stop() { stopping_ = true; }
  const Options& options() const { return options_; }

 private:
  void open();

  const Options options_;
  const bool tls_from_start_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;   // over what follows
  Progress progress_;  // outlives the connection, which says QUIT through the same callbacks
  std::unique_ptr<CURL, Free> easy_;
};

void Mailer::Line::open() {
  easy_.reset(curl_easy_init());
  if (!easy_) throw std::runtime_error("mail: no memory for a connection");
  CURL* easy = easy_.get();
  // The path is the name in EHLO: that of our own domain, not of this machine.
  set(easy, CURLOPT_URL,
      (options_.url + "/" + options_.from_address.substr(options_.from_address.find('@') + 1)).c_str());
  set(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(easy, CURLOPT_PROXY, "");  // whatever the environment says
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.timeout.count()));
  set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  const Tls tls = options_.starttls.value();
  set(easy, CURLOPT_USE_SSL,
      static_cast<long>(tls_from_start_ || tls == Tls::required ? CURLUSESSL_ALL
                        : tls == Tls::if_offered                ? CURLUSESSL_TRY
                                                                : CURLUSESSL_NONE));
  if (!options_.ca_file.empty()) {
    set(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (!options_.user.empty()) {
    set(easy, CURLOPT_USERNAME, options_.user.c_str());
    set(easy, CURLOPT_PASSWORD, options_.password.c_str());
  }
  set(easy, CURLOPT_UPLOAD, 1L);
  set(easy, CURLOPT_READFUNCTION, give);
  set(easy, CURLOPT_WRITEFUNCTION, drop);
  set(easy, CURLOPT_VERBOSE, 1L);  // for the function below; nothing is printed
  set(easy, CURLOPT_DEBUGFUNCTION, watch);
  set(easy, CURLOPT_NOPROGRESS, 0L);
  set(easy, CURLOPT_XFERINFOFUNCTION, go_on);
  for (const CURLoption option : {CURLOPT_READDATA, CURLOPT_DEBUGDATA, CURLOPT_XFERINFODATA})
    set(easy, option, static_cast<void*>(&progress_));
}

Sent Mailer::Line::send(const Message& message) {
  const Composed composed = compose(message, options_.from_address, options_.from_name);
  if (!composed.wrong.empty()) return {Outcome::refused, composed.wrong};
  const std::lock_guard lock(mutex_);
  if (stopping_) return {Outcome::try_later, "stopped", true};
  if (!easy_) open();
  CURL* easy = easy_.get();
  progress_.left = composed.bytes;
  progress_.verb = {};
  const std::string from = "<" + options_.from_address + ">", to = "<" + message.to + ">";
  const std::unique_ptr<curl_slist, Free> addressees(curl_slist_append(nullptr, to.c_str()));
  if (!addressees) throw std::runtime_error("mail: no memory for an addressee");
  set(easy, CURLOPT_MAIL_FROM, from.c_str());
  set(easy, CURLOPT_MAIL_RCPT, addressees.get());
  const CURLcode code = curl_easy_perform(easy);
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  const Sent sent = outcome_of(code, status, progress_.verb.data());
  progress_.left = {};
  set(easy, CURLOPT_MAIL_RCPT, static_cast<curl_slist*>(nullptr));
  if (sent.outcome != Outcome::sent) easy_.reset();  // the next send begins with a clean conversation
  return sent;
}

Mailer::Mailer(std::unique_ptr<Line> line) : line_(std::move(line)) {}
Mailer::~Mailer() = default;

Result<std::unique_ptr<Mailer>> Mailer::make(Options options) {
  const std::unique_ptr<CURLU, Free> url(curl_url());
  if (!url) throw std::runtime_error("mail: no memory for a URL");
  const bool parsed = curl_url_set(url.get(), CURLUPART_URL, options.url.c_str(), 0) == CURLUE_OK;
  const std::string scheme = parsed ? part(url.get(), CURLUPART_SCHEME) : "";
  const std::string path = parsed ? part(url.get(), CURLUPART_PATH) : "", host = part(url.get(), CURLUPART_HOST);
  if ((scheme != "smtp" && scheme != "smtps") || host.empty() || (!path.empty() && path != "/") ||
      !part(url.get(), CURLUPART_USER).empty() || !part(url.get(), CURLUPART_QUERY).empty()) {
    return wrong({"邮件服务器应写作 smtp://主机:端口 或 smtps://主机:端口，不带用户名和路径",
                  "the mail server is written smtp://host:port or smtps://host:port, without a user and a path"});
  }
  while (options.url.ends_with('/')) options.url.pop_back();
  if (!is_address(options.from_address)) return wrong({"发件地址有误", "the sender's address is not right"});
  if (!is_valid_utf8(options.from_name) || has_control(options.from_name))
    return wrong({"发件人名称有误", "the sender's name is not right"});
  if (options.user.empty() != options.password.empty())
    return wrong({"邮件用户名和密码要一起给出", "user and password of the mail server go together"});
  if (has_control(options.user) || has_control(options.password))
    return wrong({"邮件用户名和密码不能有控制字符", "user and password of the mail server hold no control characters"});
  if (options.timeout.count() < 1 || options.timeout > std::chrono::minutes(10))
    return wrong({"邮件超时应在 10 分钟以内", "the time limit of mail is at most 10 minutes"});
  const bool loopback = is_loopback(host), from_start = scheme == "smtps";
  if (!options.starttls) options.starttls = loopback ? Tls::never : Tls::required;
  if (!options.user.empty() && !from_start && !loopback && options.starttls != Tls::required)
    return wrong({"密码只能经 TLS 发送：请要求 STARTTLS，或用 smtps://",
                  "a password goes over TLS only: require STARTTLS, or use smtps://"});
  return std::unique_ptr<Mailer>(new Mailer(std::make_unique<Line>(std::move(options), from_start)));
}

Sent Mailer::send(const Message& message) {
  return line_->send(message);
}
void Mailer::hang_up() {
  line_->hang_up();
}
void Mailer::stop() {
  line_->stop();
}
const std::string& Mailer::from_address() const {
  return line_->options().from_address;
}
std::chrono::milliseconds Mailer::timeout() const {
  return line_->options().timeout;
}

}  // namespace jw::mail
