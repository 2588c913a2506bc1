#include "app/post_office.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "platform/log/api.hpp"

namespace jw::app {

namespace {

constexpr std::chrono::seconds kRound{5};

// The first address that the datasets of persons have under `email`; a closed account gets no mail.
std::optional<std::string> address_of(const std::vector<std::string>& tables, db::Connection& connection,
                                      int64_t account) {
  int64_t person = 0;
  {
    db::Rows rows = connection.query("SELECT person_id FROM account WHERE id = $1 AND closed_us IS NULL", {account});
    if (!rows.next() || rows.is_null(0)) return std::nullopt;
    person = rows.integer(0);
  }
  for (const std::string& table : tables) {
    db::Rows rows = connection.query("SELECT email FROM " + table + " WHERE person_id = $1", {person});
    if (rows.next() && !rows.text(0).empty()) return std::string(rows.text(0));
  }
  return std::nullopt;
}

std::vector<std::string> tables_with_address(const catalog::Catalogue& catalogue) {
  std::vector<std::string> tables;
  for (const catalog::Dataset& dataset : catalogue.datasets) {
    const bool has = std::ranges::any_of(
        dataset.fields, [](const catalog::Field& field) { return field.name == "email" && !field.is_lookup(); });
    if (dataset.person && has) tables.push_back(dataset.name);
  }
  return tables;
}

// Says that something waits and where to sign in, never what: mailboxes are read by others, too (PIPL 21, 23).
notice::Postman::Letter letter_of(const std::string& school_zh, const std::string& school_en,
                                  const std::string& public_url) {
  const std::string url = public_url + "/notices";
  return {
      "【" + school_zh + "】教务系统有新的通知，请登录查看 / Something waits for you in the academic affairs system",
      "您好：\n\n" + school_zh + "教务系统中有新的通知等您查看。为保护个人信息，邮件不写明内容，请登录后查看：\n\n" +
          url +
          "\n\n本邮件由系统自动发出，请勿回复。邮件不会要求您提供密码或验证码。\n\n----\n\nHello,\n\n"
          "something new waits for you in the academic affairs system of " +
          school_en +
          ". To protect personal information this mail does not say what it is. Please sign in to read it:\n\n" + url +
          "\n\nThis mail was sent automatically; please do not reply. No mail will ask for your password or a code.\n"};
}

std::string password_in(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (!in.good() && !in.eof()) text.clear();
  if (text.empty())
    throw UsageError(
        "--smtp-password-file 指定的文件读不出密码 / no password can be read from the file of --smtp-password-file");
  return text;
}

std::optional<mail::Tls> tls_of(const std::optional<std::string>& given) {
  if (!given) return std::nullopt;
  if (*given == "required") return mail::Tls::required;
  if (*given == "if-offered") return mail::Tls::if_offered;
  if (*given == "never") return mail::Tls::never;
  throw UsageError("--smtp-tls 应为 required、if-offered 或 never / --smtp-tls is required, if-offered or never");
}

}  // namespace

std::string public_url_of(const std::string& given) {
  std::string url = given;
  while (url.ends_with('/')) url.pop_back();
  const bool http = url.starts_with("http://") && url.size() > 7, https = url.starts_with("https://") && url.size() > 8;
  if ((!http && !https) ||
      std::ranges::any_of(url, [](char c) { return c <= ' ' || c == '"' || c == '<' || c == '>' || c == 0x7f; }))
    throw UsageError(
        "--public-url 应为 https:// 开头的网址 / --public-url is an address such as https://jiaowu.school.edu.cn");
  return url;
}

std::unique_ptr<PostOffice> PostOffice::open(System& system, const Arguments& arguments) {
  const auto url = arguments.option("smtp");
  if (!url) {
    for (const char* each : {"smtp-user", "smtp-password-file", "smtp-tls", "mail-from", "mail-ca"}) {
      if (arguments.option(each))
        throw UsageError("--" + std::string(each) + " 要和 --smtp 一起给出 / --" + each + " goes with --smtp");
    }
    return nullptr;
  }
  if (!arguments.option("public-url"))
    throw UsageError(
        "--smtp 要和 --public-url 一起给出：邮件里要写登录网址 / --smtp goes with --public-url, where mail leads");
  std::string school_zh, school_en;
  {
    const db::Store::Lease reader = system.store->reader();
    school_zh = store_fact(*reader, "school_zh");
    school_en = store_fact(*reader, "school_en");
  }
  mail::Options options;
  options.url = *url;
  options.user = arguments.option("smtp-user").value_or("");
  if (const auto file = arguments.option("smtp-password-file")) options.password = password_in(*file);
  options.from_address = arguments.required("mail-from");
  options.from_name = school_zh + "教务系统";
  options.starttls = tls_of(arguments.option("smtp-tls"));
  options.ca_file = arguments.option("mail-ca").value_or("");
  auto mailer = mail::Mailer::make(std::move(options));
  if (!mailer) throw UsageError(mailer.refusal().detail.zh + " / " + mailer.refusal().detail.en);
  return std::unique_ptr<PostOffice>(
      new PostOffice(system, std::move(mailer).value(), letter_of(school_zh, school_en, system.options.public_url)));
}

PostOffice::PostOffice(System& system, std::unique_ptr<mail::Mailer> mailer, notice::Postman::Letter letter)
    : mailer_(std::move(mailer)),
      postman_(
          *system.store, *mailer_, *system.clock,
          [tables = tables_with_address(*system.catalogue)](db::Connection& connection, int64_t account) {
            return address_of(tables, connection, account);
          },
          std::move(letter)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

PostOffice::~PostOffice() {
  thread_.request_stop();
  postman_.stop();
}

void PostOffice::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    try {
      const notice::Delivered done = postman_.deliver_due();
      if (done.mails + done.later + done.refused + done.none > 0) {
        log::info("mail.round",
                  {{"mails", done.mails}, {"later", done.later}, {"refused", done.refused}, {"none", done.none}});
      }
      if (!done.trouble.empty() && !stop.stop_requested()) log::warning("mail.trouble", {{"reason", done.trouble}});
    } catch (const std::exception&) {
      log::error("mail.round_failed");  // the next round takes it up again
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kRound, [] { return false; });
  }
}

}  // namespace jw::app
