// The notices' mail of a running server (jiaowu serve --smtp …): a round of its own.
#pragma once

#include <memory>
#include <optional>

#include "app/system.hpp"
#include "kernel/edge/module.hpp"
#include "kernel/notice/postman.hpp"

namespace jw::app {

class PostOffice {
 public:
  // nullptr without --smtp: notices are shown in the product alone. Throws edge::UsageError. The house must outlive it.
  static std::unique_ptr<PostOffice> open(const edge::House& house, const std::string& public_url,
                                          const edge::Arguments& arguments);
  void deliver();
  void stop() { postman_.stop(); }  // a delivery under way ends within about a second

 private:
  PostOffice(const edge::House& house, std::unique_ptr<mail::Mailer> mailer, notice::Postman::Letter letter);

  std::unique_ptr<mail::Mailer> mailer_;
  notice::Postman postman_;
};

// The round that delivers, kept in the house's parts.
constexpr std::chrono::seconds kMailEvery{5};
void deliver_mail(edge::House& house);

// "https://jiaowu.school.edu.cn", without a slash at its end. Throws edge::UsageError.
std::string public_url_of(const std::string& given);
// What a file holds alone: a password, a token. `option`: that names the file. Throws edge::UsageError.
std::string secret_in(const std::string& option, const std::string& file);

}  // namespace jw::app
