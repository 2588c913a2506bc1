// What a case gives on paper: its letters and its official form.
#include "kernel/case/file.hpp"
#include "kernel/notice/api.hpp"
#include "kernel/paper/api.hpp"
#include "platform/crypto/api.hpp"
#include "platform/office/letter.hpp"

namespace jw::cases {

namespace {

std::string day_in_words(Instant at) {
  const Date date = at.date();
  return std::to_string(date.year()) + "年" + std::to_string(date.month()) + "月" + std::to_string(date.day()) + "日";
}

office::Grid grid_of(const std::vector<std::vector<std::pair<std::string, std::string>>>& rows) {
  office::Grid grid;
  for (const auto& row : rows) {
    std::vector<office::Grid::Cell> cells;
    for (const auto& [label, value] : row) cells.push_back({label, value});
    grid.rows.push_back(std::move(cells));
  }
  return grid;
}

}  // namespace

void put_notice(db::Connection& transaction, const Notice& notice, Instant now) {
  notice::Notice out;
  out.account = notice.account;
  out.about = notice.number.empty() ? "" : "case:" + notice.number;
  out.text = notice.text;
  notice::put_notice(transaction, out, now);
}

Result<std::string> print_letter(const Services& on, const Letter& letter, const std::string& number,
                                 const std::string& code, Instant now) {
  office::Sheet sheet;
  sheet.head = on.school + letter.from;
  sheet.number = number;
  sheet.title = letter.title;
  sheet.blocks.emplace_back(office::Paragraph{letter.addressee, false});
  for (size_t i = 0; i < letter.paragraphs.size(); ++i) {
    sheet.blocks.emplace_back(office::Paragraph{letter.paragraphs[i]});
    if (i > 0 || letter.table.empty()) continue;
    std::vector<std::vector<std::pair<std::string, std::string>>> rows;
    for (const auto& line : letter.table) rows.push_back({line});
    sheet.blocks.emplace_back(grid_of(rows));
  }
  sheet.blocks.emplace_back(office::Closing{letter.from, day_in_words(now)});
  sheet.code = crypto::dashed(code);
  sheet.url = on.public_url + "/v/" + code;
  sheet.made = now;
  return office::pdf_of(sheet);
}

Result<std::string> Engine::printed_form(db::Connection& reader, const Actor& actor, std::string_view number) {
  JW_TRY(const Form made, form(reader, actor, number));
  office::Sheet sheet;
  sheet.number = number;
  sheet.title = made.title;
  sheet.blocks.emplace_back(grid_of(made.rows));
  sheet.made = services_.clock.now();
  return office::pdf_of(sheet);
}

}  // namespace jw::cases
