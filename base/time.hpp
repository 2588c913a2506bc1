// Dates, instants and the one clock. The school lives in one time zone, UTC+8 without daylight saving (GB/T 7408).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace jw {

// A civil date of the school's calendar.
struct Date {
  int32_t days = 0;  // since 1970-01-01

  static Date from_civil(int year, unsigned month, unsigned day);
  static std::optional<Date> parse(std::string_view text);  // "2025-09-01"; real dates only, years 1000-9999
  std::string print() const;                                // "2025-09-01"
  int year() const;
  unsigned month() const;
  unsigned day() const;
  unsigned weekday() const;          // 1 Monday … 7 Sunday
  Date plus_years(int years) const;  // 29 February becomes 28 February
  auto operator<=>(const Date&) const = default;
};

// A point in time, microseconds since 1970-01-01T00:00:00Z.
struct Instant {
  int64_t us = 0;

  static std::optional<Instant> parse(std::string_view rfc3339);
  static Instant at_start_of(Date date);  // midnight in the school's zone
  std::string print() const;  // RFC 3339 in the school's zone, "2026-11-23T15:10:00+08:00", microseconds when not zero
  Date date() const;          // in the school's zone
  auto operator<=>(const Instant&) const = default;
};

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 86'400 * kSecond;

// The only source of now. Everything that asks for the time takes a Clock.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() const = 0;
};

std::unique_ptr<Clock> system_clock();
// Reads an RFC 3339 instant from a file, again whenever the file changes (made-up stores only; tests and trials).
// Throws std::runtime_error when the file cannot be read or does not hold an instant.
std::unique_ptr<Clock> file_clock(std::filesystem::path file);

}  // namespace jw
