// An export on any bytes: refused as a whole, or every row of it is kept and every problem has a place and words.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "modules/zfsoft/api.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto found = jw::zfsoft::read_export(text);
  if (!found) {
    if (found.refusal().type.empty() || found.refusal().detail.zh.empty() || found.refusal().detail.en.empty())
      std::abort();
    return 0;
  }
  const auto rows = static_cast<int64_t>(found->sources.size());
  for (const auto& problem : found->problems) {
    if (problem.row < 0 || problem.row > rows || problem.text.zh.empty() || problem.text.en.empty()) std::abort();
  }
  for (const auto& meeting : found->meetings) {
    if (meeting.row < 1 || meeting.row > rows || meeting.section_id.empty() || meeting.term.empty()) std::abort();
    if (!meeting.time) continue;
    if (meeting.time->weekday < 1 || meeting.time->weekday > 7 || meeting.time->weeks <= 0) std::abort();
    for (const auto& [first, last] : meeting.time->periods) {
      if (first < 1 || last < first) std::abort();
    }
  }
  return 0;
}
