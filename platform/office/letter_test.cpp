#include "platform/office/letter.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/typed.hpp"

namespace jw::office {
namespace {

Sheet letter() {
  Sheet sheet;
  sheet.head = "虚构大学教务处";
  sheet.number = "教查〔2026〕17号";
  sheet.title = "关于查询权限申请的批复";
  sheet.blocks.emplace_back(Paragraph{"计算机学院　欧阳𠮷龘：", false});
  sheet.blocks.emplace_back(Paragraph{
      "你于2026-11-24提出的《教务系统查询权限申请表》（编号 2026-0017）收悉。经审核，同意授予下列查询权限。"});
  sheet.blocks.emplace_back(Grid{{{{"查询内容", "本人任课的学生的综合测评"}},
                                  {{"操作", "查询、查看详情"}, {"使用期限", "2026-11-24 至 2027-01-31"}}}});
  sheet.blocks.emplace_back(Closing{"教务处", "2026年11月24日"});
  sheet.code = "7K3M-9QWX-2FJT-AB4C";
  sheet.url = "https://jw.example.edu.cn/v/7K3M9QWX2FJTAB4C";
  sheet.made = *Instant::parse("2026-11-24T10:00:00+08:00");
  return sheet;
}

std::string run(const std::string& command) {
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::array<char, 4096> buffer{};
  while (const size_t n = fread(buffer.data(), 1, buffer.size(), pipe)) out.append(buffer.data(), n);
  pclose(pipe);
  return out;
}

class Paper {
 public:
  explicit Paper(const std::string& bytes)
      : folder_(std::filesystem::temp_directory_path() / ("jw_letter_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "a.pdf", std::ios::binary) << bytes;
  }
  ~Paper() { std::filesystem::remove_all(folder_); }
  std::string text() const { return run("pdftotext -layout '" + (folder_ / "a.pdf").string() + "' - 2>/dev/null"); }
  std::string qr() const {
    run("pdftoppm -r 150 -png -singlefile '" + (folder_ / "a.pdf").string() + "' '" + (folder_ / "a").string() + "'");
    return run("zbarimg --nodbus -q --raw '" + (folder_ / "a.png").string() + "' 2>/dev/null");
  }

 private:
  std::filesystem::path folder_;
};

// pdftotext sets spaces and lines by distance, not by the text: compared without.
std::string plain(std::string text) {
  std::erase(text, ' ');
  std::erase(text, '\n');
  return text;
}

TEST(Letter, the_same_sheet_gives_the_same_bytes_on_every_thread) {
  const std::string first = pdf_of(letter()).value();
  EXPECT_EQ(first.substr(0, 5), "%PDF-");
  std::array<std::string, 2> made;
  std::thread one([&] { made[0] = pdf_of(letter()).value(); });
  std::thread two([&] { made[1] = pdf_of(letter()).value(); });
  one.join();
  two.join();
  EXPECT_TRUE(made[0] == first && made[1] == first);
  Sheet other = letter();
  other.number = "教查〔2026〕18号";
  EXPECT_NE(pdf_of(other).value(), first);
}

TEST(Letter, what_it_says_can_be_read_and_its_code_scanned) {
  const Paper paper(pdf_of(letter()).value());
  const std::string text = plain(paper.text());
  for (const char* words : {"虚构大学教务处", "教查〔2026〕17号", "关于查询权限申请的批复", "欧阳𠮷龘",
                            "本人任课的学生的综合测评", "7K3M-9QWX-2FJT-AB4C", "第1页", "共1页"}) {
    EXPECT_NE(text.find(words), std::string::npos) << words << " in\n" << text;
  }
  EXPECT_EQ(paper.qr(), letter().url + "\n");
}

TEST(Letter, LongTextsGoOnOverTheEndOfThePage) {
  Sheet sheet = letter();
  std::string value;
  for (int i = 0; i < 400; ++i) value += "第" + std::to_string(i) + "项内容；";
  sheet.blocks.emplace_back(Grid{{{{"内容", value}}}});
  sheet.blocks.emplace_back(Paragraph{std::string(20'000, 'x')});
  const std::string pdf = pdf_of(sheet).value();
  const std::string text = plain(Paper(pdf).text());
  EXPECT_GT(std::count(text.begin(), text.end(), '\f'), 3);
  EXPECT_NE(text.find("第0项内容"), std::string::npos);
  EXPECT_NE(text.find("第399项内容"), std::string::npos);
  EXPECT_NE(text.find("第2页"), std::string::npos);
}

// Whatever a form takes can be set on paper: a case that was signed never fails when its letter is made (§2.4.2).
TEST(Letter, EveryCharacterThatIsTakenAsTypedCanBePrinted) {
  const TypedField field{.name = "f", .label = {"栏", "field"}, .most = 5000, .lines = true};
  Sheet sheet = letter();
  std::string block;
  int taken = 0;
  const auto flush = [&] {
    const Result<std::string> text = typed_text(block, field);
    ASSERT_TRUE(text) << text.refusal().detail.en;
    sheet.blocks.emplace_back(Paragraph{*text});
    sheet.blocks.emplace_back(Grid{{{{"内容", *text}}}});
    block.clear();
  };
  for (char32_t c = 1; c < 0x2FFFF; c += c < 0x3400 ? 5 : c > 0xD000 && c < 0x1FC00 ? 61 : 997) {
    std::string one;
    if (c < 0x80) {
      one = static_cast<char>(c);
    } else if (c < 0x800) {
      one = {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
    } else if (c < 0x10000) {
      one = {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
             static_cast<char>(0x80 | (c & 63))};
    } else {
      one = {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)),
             static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
    }
    // Each for itself behind a letter, so that marks have what they stand on.
    if (!typed_text("x" + one, field)) continue;
    ++taken;
    block += "x" + one;
    if (taken % 400 == 0) flush();
    if (sheet.blocks.size() > 30) {
      ASSERT_TRUE(pdf_of(sheet)) << "up to " << static_cast<uint32_t>(c);
      sheet = letter();
    }
  }
  flush();
  EXPECT_TRUE(pdf_of(sheet));
  EXPECT_GT(taken, 1500);
}

TEST(Letter, MarkUpHasNoMeaningAndControlCharactersAreRefused) {
  Sheet sheet = letter();
  sheet.blocks.emplace_back(Paragraph{"<b>a & b</b> \\ ( ) %PDF"});
  EXPECT_NE(plain(Paper(pdf_of(sheet).value()).text()).find("<b>a&b</b>\\()%PDF"), std::string::npos);
  for (const char* wrong : {"a\x01", "\xff\xfe", "\x7f"}) {
    Sheet bad = letter();
    bad.blocks.emplace_back(Paragraph{wrong});
    const auto refused = pdf_of(bad);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.refusal().type, "office.sheet_invalid");
  }
  Sheet huge = letter();
  huge.blocks.emplace_back(Paragraph{std::string(kSheetBytesMax + 1, 'x')});
  EXPECT_EQ(pdf_of(huge).refusal().type, "office.sheet_too_large");
}

}  // namespace
}  // namespace jw::office
