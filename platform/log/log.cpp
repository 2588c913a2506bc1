#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"
#include "base/time.hpp"
#include "platform/log/api.hpp"

namespace jw::log {
namespace {

constexpr size_t kWordMax = 500;
constexpr size_t kWriteFrom = 64 * 1024;  // bytes gathered that wake the writer before its time

std::string_view name_of(Level level) {
  constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
  return kNames[static_cast<size_t>(level)];
}

int64_t microseconds_now() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

// The line is a machine's, so it always has its microseconds; the date and hour are printed once a second and thread.
void append_time(std::string& out) {
  thread_local int64_t second = -1;
  thread_local std::string printed;
  const int64_t now = microseconds_now();
  if (now / kSecond != second) {
    second = now / kSecond;
    printed = Instant{second * kSecond}.print();
  }
  const std::string fraction = std::to_string(kSecond + now % kSecond);
  out.append(printed, 0, 19);
  out += '.';
  out.append(fraction, 1);
  out.append(printed, 19);
}

class File {
 public:
  explicit File(int number) : number_(number) {}
  explicit File(const std::string& path)
      : number_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640)), owned_(true) {
    if (number_ < 0) throw std::runtime_error("log file cannot be opened: " + std::string(std::strerror(errno)));
  }
  File(const File&) = delete;
  File(File&& other) noexcept : number_(other.number_), owned_(std::exchange(other.owned_, false)) {}
  File& operator=(File&& other) noexcept {
    std::swap(number_, other.number_);
    std::swap(owned_, other.owned_);
    return *this;
  }
  ~File() {
    if (owned_) ::close(number_);
  }

  // Whether all was taken. A reader of stderr that has gone to sleep is waited for one second at most.
  bool write_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(number_, bytes.data(), bytes.size());
      if (count >= 0) {
        bytes.remove_prefix(static_cast<size_t>(count));
      } else if (errno == EAGAIN) {
        pollfd ready{number_, POLLOUT, 0};
        if (::poll(&ready, 1, 1000) <= 0) return false;
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
  }

 private:
  int number_;
  bool owned_ = false;
};

class Log {
 public:
  Log() = default;
  ~Log() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_one();
    if (writer_.joinable()) writer_.join();
    flush();
  }

  void start(const Options& options) {
    File file = options.file.empty() ? File(STDERR_FILENO) : File(options.file);
    flush();
    const std::lock_guard writing(writing_);
    const std::lock_guard lock(mutex_);
    file_ = std::move(file);
    options_ = options;
    least_.store(options.least, std::memory_order_relaxed);
    if (!writer_.joinable()) writer_ = std::thread([this] { write_on(); });
    wake_.notify_one();
  }

  bool is_on(Level level) const { return level >= least_.load(std::memory_order_relaxed); }

  void add(std::string_view line, bool at_once) {
    bool wake = false;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.size() + line.size() > options_.waiting_max) {
        ++dropped_;
        return;
      }
      waiting_ += line;
      wake = waiting_.size() >= kWriteFrom && waiting_.size() - line.size() < kWriteFrom;
    }
    if (at_once) {
      flush();
    } else if (wake) {
      wake_.notify_one();
    }
  }

  void flush() {
    const std::lock_guard writing(writing_);
    {
      const std::lock_guard lock(mutex_);
      going_.clear();
      going_.swap(waiting_);
      if (dropped_ != 0) {
        going_ += R"({"level":"warning","event":"log.dropped","lines":)" + std::to_string(dropped_) + "}\n";
        dropped_ = 0;
      }
    }
    file_.write_all(going_);
  }

  void reopen() {
    const std::string path = [this] {
      const std::lock_guard lock(mutex_);
      return options_.file;
    }();
    flush();
    if (path.empty()) return;
    try {
      File file(path);
      const std::lock_guard writing(writing_);
      file_ = std::move(file);
    } catch (const std::runtime_error& problem) {
      log::error("log.reopen_failed", {{"error", problem.what()}});
    }
  }

 private:
  void write_on() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
      wake_.wait_for(lock, options_.flush_every);
      if (waiting_.empty() && dropped_ == 0) continue;
      lock.unlock();
      flush();
      lock.lock();
    }
  }

  std::mutex writing_;  // held while bytes go out, taken before mutex_; keeps lines in order
  File file_{STDERR_FILENO};
  std::string going_;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::string waiting_;
  uint64_t dropped_ = 0;
  bool ending_ = false;
  Options options_{.least = Level::warning};
  std::atomic<Level> least_{Level::warning};
  std::thread writer_;
};

Log& the_log() {
  static Log log;
  return log;
}

}  // namespace

void Field::append_to(std::string& out) const {
  out += ',';
  append_json_string(out, name_);
  out += ':';
  if (kind_ == Kind::truth) {
    out += number_ != 0 ? "true" : "false";
  } else if (kind_ == Kind::number) {
    std::array<char, 24> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number_);
    out.append(digits.data(), end.ptr);
  } else if (word_.size() <= kWordMax && is_valid_utf8(word_)) {
    append_json_string(out, word_);
  } else {
    std::string safe(word_.substr(0, kWordMax));
    if (!is_valid_utf8(safe)) {
      for (char& c : safe) c = c > 0 && c < 0x7f ? c : '?';
    }
    append_json_string(out, safe);
  }
}

void start(const Options& options) {
  the_log().start(options);
}
void flush() {
  the_log().flush();
}
void reopen() {
  the_log().reopen();
}
bool is_on(Level level) {
  return the_log().is_on(level);
}

void write(Level level, Name event, std::initializer_list<Field> fields) {
  Log& log = the_log();
  if (!log.is_on(level)) return;
  thread_local std::string line;
  line = R"({"time":")";
  append_time(line);
  line += R"(","level":")";
  line += name_of(level);
  line += R"(","event":)";
  append_json_string(line, event.text());
  for (const Field& field : fields) field.append_to(line);
  line += "}\n";
  log.add(line, level >= Level::warning);
}

}  // namespace jw::log
