#include "base/time.hpp"

#include <sys/stat.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <fstream>
#include <mutex>
#include <stdexcept>

namespace jw {
namespace {

constexpr int64_t kZone = 8 * 3600 * kSecond;

std::chrono::year_month_day civil(Date date) {
  return std::chrono::year_month_day{std::chrono::sys_days{std::chrono::days{date.days}}};
}

bool digits(std::string_view text, int& out) {
  for (char c : text) {
    if (c < '0' || c > '9') return false;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

void append_padded(std::string& out, int64_t value, size_t width) {
  const std::string text = std::to_string(value);
  if (text.size() < width) out.append(width - text.size(), '0');
  out += text;
}

// By value: g++ 12 at -O1 drops the store of a temporary Date on which a member that returns a string is called (its
// inter-procedural mod/ref analysis), and prints whatever lay there.
std::string print_date(Date date) {
  const std::chrono::year_month_day ymd = civil(date);
  std::string out;
  out.reserve(10);
  append_padded(out, static_cast<int>(ymd.year()), 4);
  out += '-';
  append_padded(out, static_cast<unsigned>(ymd.month()), 2);
  out += '-';
  append_padded(out, static_cast<unsigned>(ymd.day()), 2);
  return out;
}

int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

}  // namespace

Date Date::from_civil(int year, unsigned month, unsigned day) {
  using namespace std::chrono;
  const sys_days days = std::chrono::year{year} / std::chrono::month{month} / std::chrono::day{day};
  return Date{static_cast<int32_t>(days.time_since_epoch().count())};
}

std::optional<Date> Date::parse(std::string_view text) {
  int y = 0, m = 0, d = 0;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  if (!digits(text.substr(0, 4), y) || !digits(text.substr(5, 2), m) || !digits(text.substr(8, 2), d))
    return std::nullopt;
  if (y < 1000) return std::nullopt;
  const std::chrono::year_month_day ymd{std::chrono::year{y}, std::chrono::month{static_cast<unsigned>(m)},
                                        std::chrono::day{static_cast<unsigned>(d)}};
  if (!ymd.ok()) return std::nullopt;
  return from_civil(y, static_cast<unsigned>(m), static_cast<unsigned>(d));
}

std::string Date::print() const {
  return print_date(*this);
}

int Date::year() const {
  return static_cast<int>(civil(*this).year());
}
unsigned Date::month() const {
  return static_cast<unsigned>(civil(*this).month());
}
unsigned Date::day() const {
  return static_cast<unsigned>(civil(*this).day());
}
unsigned Date::weekday() const {
  return std::chrono::weekday{std::chrono::sys_days{std::chrono::days{days}}}.iso_encoding();
}

Date Date::plus_years(int years) const {
  const unsigned m = month();
  unsigned d = day();
  const int y = year() + years;
  if (m == 2 && d == 29 && !std::chrono::year{y}.is_leap()) d = 28;
  return from_civil(y, m, d);
}

std::optional<Instant> Instant::parse(std::string_view text) {
  // date "T" hh:mm:ss [. digits] (Z | ±hh:mm), RFC 3339 §5.6
  if (text.size() < 20 || (text[10] != 'T' && text[10] != 't' && text[10] != ' ')) return std::nullopt;
  const auto date = Date::parse(text.substr(0, 10));
  int h = 0, m = 0, s = 0;
  if (!date || text[13] != ':' || text[16] != ':' || !digits(text.substr(11, 2), h) || !digits(text.substr(14, 2), m) ||
      !digits(text.substr(17, 2), s) || h > 23 || m > 59 || s > 59) {
    return std::nullopt;
  }
  size_t at = 19;
  int64_t fraction = 0;
  if (text[at] == '.') {
    int64_t unit = kSecond / 10;
    size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
      fraction += (text[at] - '0') * unit;
    if (at == first) return std::nullopt;
  }
  int64_t offset = 0;
  const std::string_view zone = text.substr(at);
  if (zone != "Z" && zone != "z") {
    int zh = 0, zm = 0;
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':' || !digits(zone.substr(1, 2), zh) ||
        !digits(zone.substr(4, 2), zm) || zh > 23 || zm > 59) {
      return std::nullopt;
    }
    offset = (zh * 3600 + zm * 60) * kSecond * (zone[0] == '-' ? -1 : 1);
  }
  return Instant{date->days * kDay + (h * 3600 + m * 60 + s) * kSecond + fraction - offset};
}

Instant Instant::at_start_of(Date date) {
  return Instant{date.days * kDay - kZone};
}

namespace {

// In the school's zone. An instant without end (INT64_MAX) stays one.
int64_t local(int64_t us) {
  return us > INT64_MAX - kZone ? INT64_MAX : us + kZone;
}

}  // namespace

Date Instant::date() const {
  return Date{static_cast<int32_t>(floor_div(local(us), kDay))};
}

std::string Instant::print() const {
  const int64_t here = local(us);
  const int64_t in_day = here - floor_div(here, kDay) * kDay;
  const int64_t seconds = in_day / kSecond, fraction = in_day % kSecond;
  std::string out = print_date(date());
  out += 'T';
  append_padded(out, seconds / 3600, 2);
  out += ':';
  append_padded(out, seconds / 60 % 60, 2);
  out += ':';
  append_padded(out, seconds % 60, 2);
  if (fraction != 0) {
    out += '.';
    append_padded(out, fraction, 6);
  }
  return out + "+08:00";
}

namespace {

class SystemClock final : public Clock {
 public:
  Instant now() const override {
    using namespace std::chrono;
    return Instant{duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch()).count()};
  }
};

class FileClock final : public Clock {
 public:
  explicit FileClock(std::filesystem::path file) : file_(std::move(file)) { read(); }

  Instant now() const override {
    struct stat status {};
    if (::stat(file_.c_str(), &status) != 0) throw std::runtime_error("clock file is gone");
    if (stamp_of(status) != stamp_.load(std::memory_order_acquire)) read();
    return Instant{instant_us_.load(std::memory_order_acquire)};
  }

 private:
  void read() const {
    const std::lock_guard lock(mutex_);
    struct stat status {};
    if (::stat(file_.c_str(), &status) != 0) throw std::runtime_error("cannot read the clock file");
    std::ifstream in(file_);
    std::string line;
    std::getline(in, line);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    const auto instant = Instant::parse(line);
    if (!instant) {
      // A writer may be half way; keep the last instant once there is one, refuse to start without one.
      if (instant_us_.load() != 0) return;
      throw std::runtime_error("the clock file must hold one RFC 3339 instant, e.g. 2026-03-02T08:00:00+08:00");
    }
    instant_us_.store(instant->us, std::memory_order_release);
    stamp_.store(stamp_of(status), std::memory_order_release);
  }

  // File times tick every few milliseconds only: a file put in place of another is told by its inode.
  static int64_t stamp_of(const struct stat& status) {
    const auto time = static_cast<uint64_t>(status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec);
    return static_cast<int64_t>(time ^ (static_cast<uint64_t>(status.st_ino) * 0x9E3779B97F4A7C15u) ^
                                (static_cast<uint64_t>(status.st_size) << 48));
  }

  std::filesystem::path file_;
  mutable std::mutex mutex_;
  mutable std::atomic<int64_t> stamp_{0};
  mutable std::atomic<int64_t> instant_us_{0};
};

}  // namespace

std::unique_ptr<Clock> system_clock() {
  return std::make_unique<SystemClock>();
}
std::unique_ptr<Clock> file_clock(std::filesystem::path file) {
  return std::make_unique<FileClock>(std::move(file));
}

}  // namespace jw
