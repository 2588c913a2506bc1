// tests/support/smtp_server.py beside a test: started with it, ended with it, its messages as their parser saw them.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace jw::tests {

class SmtpServer {
 public:
  using Received = std::map<std::string, std::string>;  // by name: "rcpt_to", "header Subject", "text" …

  explicit SmtpServer(std::vector<std::string> options = {}) {
    static std::atomic<int> made = 0;
    folder_ = std::filesystem::temp_directory_path() /
              ("jiaowu_smtp_" + std::to_string(::getpid()) + "_" + std::to_string(++made));
    std::filesystem::create_directories(folder_);
    options.insert(options.begin(), {"/usr/bin/python3", JW_SOURCE_DIR "/tests/support/smtp_server.py", folder_});
    start(options);
  }
  SmtpServer(const SmtpServer&) = delete;
  SmtpServer& operator=(const SmtpServer&) = delete;
  ~SmtpServer() {
    end();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  const std::string& port() const { return port_; }
  std::string url() const { return "smtp://127.0.0.1:" + port_; }
  std::string certificate() const { return folder_ / "certificate.pem"; }
  // What it says to every MAIL from now on; empty = as usual.
  void says(const std::string& answer) const {
    if (answer.empty()) {
      std::filesystem::remove(folder_ / "answer");
    } else {
      std::ofstream(folder_ / "answer") << answer;
    }
  }
  void end() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  // In the order in which they came.
  std::vector<Received> received() const {
    std::vector<std::filesystem::path> files;
    for (const auto& each : std::filesystem::directory_iterator(folder_)) {
      if (each.path().extension() == ".txt") files.push_back(each.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<Received> all;
    for (const auto& file : files) {
      std::ifstream in(file);
      Received& one = all.emplace_back();
      for (std::string line; std::getline(in, line);) {
        const size_t tab = line.find('\t');
        one[line.substr(0, tab)] = line.substr(tab + 1);
      }
    }
    return all;
  }
  std::string raw(const std::string& name) const {
    std::ifstream in(folder_ / (name + ".eml"), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

 private:
  void start(const std::vector<std::string>& words) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    std::array<int, 2> pipe{};
    if (::pipe(pipe.data()) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // it ends with the test, however that ends
      ::dup2(pipe[1], STDOUT_FILENO);
      ::close(pipe[0]);
      ::close(pipe[1]);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(pipe[1]);
    for (char c = 0; ::read(pipe[0], &c, 1) == 1 && c != '\n';) port_ += c;
    ::close(pipe[0]);
    if (port_.empty()) throw std::runtime_error("the SMTP server did not start: is python3-aiosmtpd there?");
  }

  std::filesystem::path folder_;
  std::string port_;
  pid_t pid_ = 0;
};

}  // namespace jw::tests
