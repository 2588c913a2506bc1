// Letters and official forms as A4 PDF: cairo and pango set the text (any script, Chinese line breaking), a QR code in
// the foot of each page leads to where the paper can be checked. The same sheet gives the same bytes, whenever and
// wherever it is made with the same fonts (Noto Serif CJK). Thread-safe; one sheet is set at a time.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "base/time.hpp"

namespace jw::office {

struct Paragraph {
  std::string text;    // "\n" begins a new line; mark-up has no meaning
  bool indent = true;  // by two characters, as Chinese letters do
};

// A bordered grid: each row shares the width among its cells; long values wrap and go on over the page's end.
struct Grid {
  struct Cell {
    std::string label, value;
  };
  std::vector<std::vector<Cell>> rows;
};

// Who sends it and when, at the right below the text.
struct Closing {
  std::string from, date;
};

struct Sheet {
  std::string head;    // who issues it, in red over a red rule; empty: none
  std::string number;  // 教查〔2026〕17号; empty: none
  std::string title;
  std::vector<std::variant<Paragraph, Grid, Closing>> blocks;
  std::string code, url;  // in the foot: verification code, and address for the QR code; empty: none
  Instant made;           // stands in the file as its date
};

constexpr size_t kSheetBytesMax = 256 * 1024;  // of all texts
constexpr size_t kSheetPagesMax = 60;

// Bytes of a PDF. Refusals: office.sheet_invalid (422; text that is no UTF-8 or has control characters),
// office.sheet_too_large (413).
Result<std::string> pdf_of(const Sheet& sheet);

}  // namespace jw::office
