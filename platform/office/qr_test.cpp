#include "platform/office/qr.hpp"

#include <gtest/gtest.h>

namespace jw::office {
namespace {

// The three finders of ISO/IEC 18004, in the corners but the lower right one.
bool is_finder(const std::vector<std::string>& rows, size_t y, size_t x) {
  constexpr const char* kFinder[] = {"1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"};
  for (size_t i = 0; i < 7; ++i) {
    if (rows[y + i].substr(x, 7) != kFinder[i]) return false;
  }
  return true;
}

TEST(Qr, is_a_square_with_three_finders_and_differs_by_text) {
  const auto rows = qr_rows("otpauth://totp/x:y?secret=GEZDGNBVGY3TQOJQ");
  ASSERT_GE(rows.size(), 21U);
  EXPECT_EQ((rows.size() - 17) % 4, 0U);
  for (const std::string& row : rows) EXPECT_EQ(row.size(), rows.size());
  const size_t far = rows.size() - 7;
  EXPECT_TRUE(is_finder(rows, 0, 0) && is_finder(rows, 0, far) && is_finder(rows, far, 0));
  EXPECT_FALSE(is_finder(rows, far, far));
  EXPECT_NE(rows, qr_rows("otpauth://totp/x:y?secret=GEZDGNBVGY3TQOJR"));
  EXPECT_TRUE(qr_rows(std::string(3000, 'x')).empty());
}

}  // namespace
}  // namespace jw::office
