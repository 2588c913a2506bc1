#include "app/post_office.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "kernel/edge/facts.hpp"
#include "platform/log/api.hpp"

namespace jw::app {

namespace {

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

std::optional<mail::Tls> tls_of(const std::optional<std::string>& given) {
  if (!given) return std::nullopt;
  if (*given == "required") return mail::Tls::required;
  if (*given == "if-offered") return mail::Tls::if_offered;
  if (*given == "never") return mail::Tls::never;
  throw edge::UsageError("--smtp-tls 应为 required、if-offered 或 never / --smtp-tls is required, if-offered or never");
}

}  // namespace

std::string secret_in(const std::string& option, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (!in.good() && !in.eof()) text.clear();
  if (text.empty())
    throw edge::UsageError("--" + option + " 指定的文件读不出内容 / nothing can be read from the file of --" + option);
  return text;
}

std::string public_url_of(const std::string& given) {
  std::string url = given;
  while (url.ends_with('/')) url.pop_back();
  const bool http = url.starts_with("http://") && url.size() > 7, https = url.starts_with("https://") && url.size() > 8;
  if ((!http && !https) ||
      std::ranges::any_of(url, [](char c) { return c <= ' ' || c == '"' || c == '<' || c == '>' || c == 0x7f; }))
    throw edge::UsageError(
        "--public-url 应为 https:// 开头的网址 / --public-url is an address such as https://jiaowu.school.edu.cn");
  return url;
}

std::unique_ptr<PostOffice> PostOffice::open(const edge::House& house, const std::string& public_url,
                                             const edge::Arguments& arguments) {
  const auto url = arguments.option("smtp");
  if (!url) {
    for (const char* each : {"smtp-user", "smtp-password-file", "smtp-tls", "mail-from", "mail-ca"}) {
      if (arguments.option(each))
        throw edge::UsageError("--" + std::string(each) + " 要和 --smtp 一起给出 / --" + each + " goes with --smtp");
    }
    return nullptr;
  }
  if (!arguments.option("public-url"))
    throw edge::UsageError(
        "--smtp 要和 --public-url 一起给出：邮件里要写登录网址 / --smtp goes with --public-url, where mail leads");
  mail::Options options;
  options.url = *url;
  options.user = arguments.option("smtp-user").value_or("");
  if (const auto file = arguments.option("smtp-password-file"))
    options.password = secret_in("smtp-password-file", *file);
  options.from_address = arguments.required("mail-from");
  options.from_name = house.school.zh + "教务系统";
  options.starttls = tls_of(arguments.option("smtp-tls"));
  options.ca_file = arguments.option("mail-ca").value_or("");
  auto mailer = mail::Mailer::make(std::move(options));
  if (!mailer) throw edge::UsageError(mailer.refusal().detail.zh + " / " + mailer.refusal().detail.en);
  return std::unique_ptr<PostOffice>(
      new PostOffice(house, std::move(mailer).value(), letter_of(house.school.zh, house.school.en, public_url)));
}

PostOffice::PostOffice(const edge::House& house, std::unique_ptr<mail::Mailer> mailer, notice::Postman::Letter letter)
    : mailer_(std::move(mailer)),
      postman_(
          house.store, *mailer_, house.clock,
          [&house](db::Connection& connection, int64_t account) {
            return edge::mail_address(house.catalogue, connection, account);
          },
          std::move(letter)) {}

void PostOffice::deliver() {
  const notice::Delivered done = postman_.deliver_due();
  if (done.mails + done.later + done.refused + done.none > 0) {
    log::info("mail.round",
              {{"mails", done.mails}, {"later", done.later}, {"refused", done.refused}, {"none", done.none}});
  }
  if (!done.trouble.empty()) log::warning("mail.trouble", {{"reason", done.trouble}});
}

void deliver_mail(edge::House& house) {
  house.parts.get<PostOffice>().deliver();
}

}  // namespace jw::app
