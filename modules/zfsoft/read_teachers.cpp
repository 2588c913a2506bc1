// Lists of teachers as they are written in exports. The grammar:
//
//   list   = item { separator item }               separator: , 、 ; | or a line end, none of them within brackets
//   item   = piece { "/" piece }
//   piece  = word { blank word } { "(" content ")" }
//   word   = number | title | name                  a number also stands right before or behind a name of Han
//   characters
//
// A number belongs to the name after it where the item begins with a number, and to the name before it otherwise. What
// a bracket holds beyond numbers and titles stays with the name: 张伟(大) and 张伟(小) are two people.
#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "modules/zfsoft/api.hpp"

namespace jw::zfsoft {

namespace {

using Points = std::u32string;
using View = std::u32string_view;

constexpr size_t kNumberLeast = 4, kNumberMost = 20;

// What stands beside a name and is no part of it: titles, and what somebody does in the section.
constexpr auto kTitles = std::to_array<View>(
    {U"教授",         U"副教授",     U"讲师",       U"助教",   U"助理教授",   U"讲席教授",   U"特聘教授",
     U"客座教授",     U"兼职教授",   U"荣休教授",   U"研究员", U"副研究员",   U"助理研究员", U"工程师",
     U"高工",         U"高级工程师", U"助理工程师", U"实验师", U"高级实验师", U"助理实验师", U"正高级实验师",
     U"正高级工程师", U"实验员",     U"院士",       U"博士",   U"博士后",     U"主讲",       U"主讲教师",
     U"辅讲",         U"助课",       U"外聘",       U"兼职",   U"外教",       U"返聘",       U"老师",
     U"教师",         U"高级讲师",   U"正高级",     U"副高级", U"中级",       U"理论",       U"实验",
     U"实践",         U"上机",       U"指导"});

// Names of nobody; any of them may have 教师 or 老师 before or behind and be numbered.
constexpr auto kNobody = std::to_array<View>(
    {U"",       U"未定",   U"待定",     U"待聘",   U"待排", U"未排", U"无",   U"空",       U"暂无", U"暂缺",
     U"未安排", U"待安排", U"暂未安排", U"未指定", U"未知", U"不详", U"另定", U"另行通知", U"暂定", U"未聘",
     U"外聘",   U"外教",   U"校外",     U"tba",    U"tbd",  U"tbc",  U"n/a",  U"none",     U"null", U"nil",
     U"-",      U"--",     U"—",        U"——",     U"/",    U".",    U"?",    U"??",       U"???",  U"*"});

constexpr auto kSurnamesOfTwo = std::to_array<View>(
    {U"欧阳", U"太史", U"端木", U"上官", U"司马", U"东方", U"独孤", U"南宫", U"万俟", U"闻人", U"夏侯",
     U"诸葛", U"尉迟", U"公羊", U"赫连", U"澹台", U"皇甫", U"宗政", U"濮阳", U"公冶", U"太叔", U"申屠",
     U"公孙", U"慕容", U"仲孙", U"钟离", U"长孙", U"宇文", U"司徒", U"鲜于", U"司空", U"闾丘", U"子车",
     U"亓官", U"司寇", U"巫马", U"公西", U"颛孙", U"壤驷", U"公良", U"漆雕", U"乐正", U"宰父", U"谷梁",
     U"拓跋", U"夹谷", U"轩辕", U"令狐", U"段干", U"百里", U"呼延", U"东郭", U"南门", U"羊舌", U"微生",
     U"左丘", U"东门", U"西门", U"第五", U"单于", U"达奚", U"叱干", U"梁丘", U"纳兰"});

template <class List>
bool holds(const List& list, View text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool is_digit(char32_t c) {
  return c >= '0' && c <= '9';
}
bool is_plain(char32_t c) {  // of a number
  return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
}
// Characters that users' own fonts carry included.
bool is_han(char32_t c) {
  return (c >= 0x3400 && c <= 0x9FFF) || c == 0x3007 || (c >= 0xE000 && c <= 0xFAFF) || (c >= 0x20000 && c <= 0x3FFFF);
}
bool all_han(View text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char32_t c) { return is_han(c) || c == U'·'; });
}
bool is_letter(char32_t c) {
  return is_han(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c >= 0xC0;
}
// Signs that stand in names: with Han characters a dot or a digit (张伟2), in Latin ones an apostrophe, a stop, a
// hyphen.
bool is_name(View text) {
  const bool han = std::any_of(text.begin(), text.end(), is_han);
  const View signs = han ? View(U"·") : View(U"·' .-");
  return std::any_of(text.begin(), text.end(), is_letter) && std::all_of(text.begin(), text.end(), [&](char32_t c) {
           return is_letter(c) || is_digit(c) || signs.find(c) != View::npos;
         });
}
bool is_number(View text) {
  return text.size() >= kNumberLeast && text.size() <= kNumberMost && std::all_of(text.begin(), text.end(), is_plain) &&
         std::any_of(text.begin(), text.end(), is_digit);
}

// One form of brackets, dots, separators and blanks; line ends separate.
Points folded(std::string_view text) {
  Points out;
  for (char32_t c : utf32(text)) {
    if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;
    if (View(U"、;|\n\r；，").find(c) != View::npos) c = ',';
    if (View(U"•・‧∙⋅･").find(c) != View::npos) c = U'·';
    if (View(U"\t 　\u00a0").find(c) != View::npos) c = ' ';
    if (View(U"[【〔〈<").find(c) != View::npos) c = '(';
    if (View(U"]】〕〉>").find(c) != View::npos) c = ')';
    out += c;
  }
  return out;
}

View trimmed(View text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Parts between separators that stand in no bracket; nullopt when brackets do not match.
std::optional<std::vector<View>> parts_of(View text, View separators) {
  std::vector<View> parts;
  size_t from = 0;
  bool inside = false;
  for (size_t i = 0; i <= text.size(); ++i) {
    const char32_t c = i < text.size() ? text[i] : 0;
    if (c == '(' || c == ')') {
      if (inside == (c == '(')) return std::nullopt;
      inside = !inside;
    }
    if (i < text.size() && (inside || separators.find(c) == View::npos)) continue;
    if (const View part = trimmed(text.substr(from, i - from)); !part.empty()) parts.push_back(part);
    from = i + 1;
  }
  return inside ? std::nullopt : std::optional(parts);
}

bool is_nobody(View text) {
  Points plain;
  for (const char32_t c : text) {
    if (c != ' ' && c != '(' && c != ')') plain += c >= 'A' && c <= 'Z' ? c + 32 : c;
  }
  if (plain == U"0") return true;
  while (!plain.empty() && is_digit(plain.back())) plain.pop_back();
  if (plain.empty()) return text.empty();  // a number is somebody's
  for (const View word : {View(U"任课"), View(U"教师"), View(U"老师")}) {
    if (plain.starts_with(word)) plain.erase(0, word.size());
    if (plain.ends_with(word)) plain.resize(plain.size() - word.size());
  }
  return holds(kNobody, plain);
}

// One item, read word by word.
class Item {
 public:
  // False when something in it has no place.
  bool read(View item) {
    const auto pieces = parts_of(item, U"/");
    if (!pieces) return false;
    for (const View piece : *pieces) {
      if (!read_piece(piece)) return false;
    }
    if (!number_.empty() || !title_.empty()) finish({});
    return std::all_of(found_.begin(), found_.end(),
                       [](const Teacher& each) { return !each.name.empty() || !each.number.empty(); });
  }
  std::vector<Teacher>& found() { return found_; }

 private:
  bool read_piece(View piece) {
    Points outside;
    std::vector<View> brackets;
    for (size_t i = 0; i < piece.size(); ++i) {
      if (piece[i] != '(') {
        outside += piece[i];
        continue;
      }
      const size_t close = piece.find(')', i);
      brackets.push_back(piece.substr(i + 1, close - i - 1));
      outside += ' ';
      i = close;
    }
    const auto words = parts_of(outside, U" ");
    if (!read_words(*words)) return false;
    return std::all_of(brackets.begin(), brackets.end(), [&](View content) { return read_bracket(content); });
  }

  bool read_words(const std::vector<View>& words) {
    std::vector<View> name;
    const auto end_name = [&] {
      const bool good = name.empty() || read_name(name);
      name.clear();
      return good;
    };
    for (const View word : words) {
      if (is_number(word)) {
        if (!end_name() || !take_number(word)) return false;
      } else if (holds(kTitles, word)) {
        if (!end_name()) return false;
        take_title(word);
      } else {
        name.push_back(word);
      }
    }
    return end_name();
  }

  // Words of one name, or several names with blanks between.
  bool read_name(const std::vector<View>& words) {
    const bool han = std::all_of(words.begin(), words.end(), all_han);
    if (words.size() == 1) return read_word(words.front());
    if (!han) {
      Points joined;
      for (const View word : words) {
        // Latin words make one name; beside Han characters nobody knows where it ends.
        if (std::any_of(word.begin(), word.end(), is_han)) return false;
        joined += (joined.empty() ? U"" : U" ") + Points(word);
      }
      return read_word(joined);
    }
    const bool padded = words.size() == 2 && (words[0].size() == 1 || holds(kSurnamesOfTwo, words[0]));
    if (padded) return read_word(Points(words[0]) + Points(words[1]));
    for (const View word : words) {
      if (word.size() < 2 || holds(kSurnamesOfTwo, word)) return false;
    }
    return std::all_of(words.begin(), words.end(), [&](View word) { return read_word(word); });
  }

  // A name, perhaps with a number or a title stuck to it.
  bool read_word(View word) {
    size_t head = 0, tail = word.size();
    while (head < word.size() && is_plain(word[head])) ++head;
    while (tail > head && is_plain(word[tail - 1])) --tail;
    if (head > 0 && head < word.size() && is_han(word[head]) && is_number(word.substr(0, head)))
      return take_number(word.substr(0, head)) && read_word(word.substr(head));
    if (tail < word.size() && tail > 0 && is_han(word[tail - 1]) && is_number(word.substr(tail)))
      return read_word(word.substr(0, tail)) && take_number(word.substr(tail));
    View title;
    for (const View each : kTitles) {
      if (word.ends_with(each) && word.size() >= each.size() + 2 && all_han(word) && each.size() > title.size())
        title = each;
    }
    const View name = word.substr(0, word.size() - title.size());
    if (!is_name(name)) return false;
    finish(name);
    if (!title.empty()) take_title(title);
    return true;
  }

  bool read_bracket(View content) {
    const auto parts = parts_of(content, U", /");
    if (!parts) return false;
    Points rest;
    for (const View part : *parts) {
      if (is_number(part)) {
        if (!take_number(part)) return false;
      } else if (holds(kTitles, part)) {
        take_title(part);
      } else if (found_.empty() && !number_.empty() && all_han(part)) {
        if (!read_word(part)) return false;  // 00123(张三)
      } else if (!is_nobody(part) && !catalog::parse_weeks(utf8(part))) {
        rest += (rest.empty() ? U"" : U" ") + Points(part);
      }
    }
    if (rest.empty()) return true;
    if (found_.empty()) return false;
    found_.back().name += "(" + utf8(rest) + ")";
    return true;
  }

  bool take_number(View number) {
    if (found_.empty()) first_ = true;
    if (first_ || found_.empty()) {
      if (!number_.empty()) return false;  // two numbers, one name
      number_ = utf8(number);
      return true;
    }
    if (!found_.back().number.empty()) return false;
    found_.back().number = utf8(number);
    return true;
  }

  void take_title(View title) {
    std::string& at = found_.empty() ? title_ : found_.back().title;
    at += (at.empty() ? "" : " ") + utf8(title);
  }

  void finish(View name) {
    found_.push_back({number_, utf8(name), title_});
    number_.clear();
    title_.clear();
  }

  std::vector<Teacher> found_;
  bool first_ = false;          // numbers stand before names
  std::string number_, title_;  // wait for a name
};

}  // namespace

Teachers read_teachers(std::string_view text) {
  Teachers out;
  const Points plain = folded(text);
  if (trimmed(plain).empty()) return out;
  out.said = true;
  const auto items = parts_of(plain, U",");
  if (!items) {
    out.unclear.emplace_back(text);
    return out;
  }
  for (const View item : *items) {
    if (is_nobody(item)) continue;
    Item one;
    if (!one.read(item)) {
      out.unclear.push_back(utf8(item));
      continue;
    }
    for (Teacher& teacher : one.found()) {
      if (teacher.number.empty() && is_nobody(utf32(teacher.name))) continue;
      const bool again = std::any_of(out.named.begin(), out.named.end(), [&](const Teacher& each) {
        return each.number == teacher.number && each.name == teacher.name;
      });
      if (again) {
        out.twice.push_back(teacher.name.empty() ? teacher.number : teacher.name);
      } else {
        out.named.push_back(std::move(teacher));
      }
    }
  }
  return out;
}

}  // namespace jw::zfsoft
