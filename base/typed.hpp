// One normal form for what people type: reasons, opinions, notes, names of files. Whatever passes here can be kept,
// shown, signed and set on paper, and reads there as it reads on the screen. Every text of a JSON body has passed
// plain_text (kernel/edge/body.cpp), passwords and codes excepted; what asks for a text asks typed_text for its length.
//
// Cleaned without a word: Unicode normalisation form C, line ends (CR, CRLF, U+2028 …) as "\n", tabs and narrow or
// no-break spaces as a plain space, blanks at both ends (typed_text). Refused by the name of the character: controls,
// marks of writing direction (with U+202E "100%" reads "001%"), invisible characters, private use, unassigned.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace jw {

// Refusal: text.not_accepted (422) with one problem: not_text, control, direction, invisible, private_use, unassigned.
// `name`: path in the request; `label`: as people know it.
Result<std::string> plain_text(std::string_view raw, std::string_view name, const Text& label);

// The same form for text of a file, about which nobody can be asked any more: what typed text is refused for is taken
// out and told by name. Private-use and unassigned characters stay, told as well: a name without one of its characters
// is another name.
struct Cleaned {
  std::string text;
  std::vector<Text> told;  // "第 3 个字符是看不见的字符（U+200B …）"
};
Cleaned cleaned_text(std::string_view valid_utf8);

struct TypedField {
  std::string name;    // path in the request, e.g. "content.reason"
  Text label;          // as people know it: {"理由", "the reason"}
  size_t least = 0;    // visible characters (grapheme clusters that are no blanks); 1: must be there
  size_t most = 500;   // characters, blanks included
  bool lines = false;  // may have several lines
};

// The same refusals, and: stacked (too many marks on one character), line_break, required, too_short, too_long.
Result<std::string> typed_text(std::string_view raw, const TypedField& field);

// Why somebody acts: 1 to 500 characters, lines allowed. The one place that says so.
Result<std::string> typed_reason(std::string_view raw, std::string name = "reason");

size_t characters(std::string_view valid_utf8);  // as people count them: grapheme clusters

}  // namespace jw
