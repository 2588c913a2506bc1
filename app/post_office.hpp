// The notices' mail of a running server (jiaowu serve --smtp …), on a thread of its own.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "app/arguments.hpp"
#include "app/system.hpp"
#include "kernel/notice/postman.hpp"

namespace jw::app {

class PostOffice {
 public:
  // nullptr without --smtp: notices are shown in the product alone. Throws UsageError. The system must outlive it.
  static std::unique_ptr<PostOffice> open(System& system, const Arguments& arguments);
  ~PostOffice();
  PostOffice(const PostOffice&) = delete;
  PostOffice& operator=(const PostOffice&) = delete;

 private:
  PostOffice(System& system, std::unique_ptr<mail::Mailer> mailer, notice::Postman::Letter letter);
  void run(const std::stop_token& stop);

  std::unique_ptr<mail::Mailer> mailer_;
  notice::Postman postman_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses all of the above
};

// "https://jiaowu.school.edu.cn", without a slash at its end. Throws UsageError.
std::string public_url_of(const std::string& given);

}  // namespace jw::app
