#include "platform/office/csv.hpp"

#include <gtest/gtest.h>

namespace jw::office {
namespace {

std::string row(std::vector<std::string> cells) {
  std::string out;
  append_csv_row(out, cells);
  return out;
}

TEST(Csv, QuotesWhatNeedsIt) {
  EXPECT_EQ(row({"张三", "a,b", "say \"hi\"", "line\nbreak", ""}),
            "张三,\"a,b\",\"say \"\"hi\"\"\",\"line\nbreak\",\r\n");
}

TEST(Csv, DisarmsFormulasButNotNumbers) {
  EXPECT_EQ(row({"=1+1", "+cmd", "-5.5", "@x", "+86"}), "\"'=1+1\",\"'+cmd\",-5.5,\"'@x\",+86\r\n");
}

}  // namespace
}  // namespace jw::office
