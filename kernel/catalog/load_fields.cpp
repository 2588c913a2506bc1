// Fields of a dataset: type, mask, bounds, example; and fields borrowed from other datasets.
#include <algorithm>
#include <charconv>

#include "base/text.hpp"
#include "kernel/catalog/loading.hpp"
#include "kernel/catalog/pattern.hpp"

namespace jw::catalog {
namespace {

constexpr int kTextMax = 20'000;
constexpr int kPatternTextMax = 1'000;  // a pattern over longer texts could take too long
constexpr int kPlacesMax = 6;

// "decimal(1)" -> decimal, 1.
struct Call {
  std::string name, argument;
  bool has_argument = false;
};

std::optional<Call> parse_call(std::string_view text) {
  const size_t open = text.find('(');
  if (open == std::string_view::npos) return Call{std::string(text), {}, false};
  if (!text.ends_with(')')) return std::nullopt;
  return Call{std::string(text.substr(0, open)), std::string(text.substr(open + 1, text.size() - open - 2)), true};
}

std::optional<int> small_number(std::string_view text, int least, int most) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most) return std::nullopt;
  return number;
}

template <class T>
std::vector<std::string> names_of(const std::vector<T>& things) {
  std::vector<std::string> names;
  for (const T& thing : things) names.push_back(thing.name);
  return names;
}

bool read_code_type(Loading& loading, const Table& table, const std::string& set, Field& field) {
  field.type = Type::code;
  field.code_set = loading.catalogue.code_set(set);
  if (field.code_set >= 0) return true;
  const Text near = did_you_mean(set, names_of(loading.catalogue.code_sets));
  table.problem("type", Text{"catalog/codes 中没有代码集「" + set + "」" + near.zh,
                             "catalog/codes has no code set '" + set + "'" + near.en});
  return false;
}

bool read_ref_type(Loading& loading, const Table& table, const std::string& name, Field& field) {
  field.type = Type::ref;
  const Dataset* target = loading.catalogue.find(name);
  if (target == nullptr) {
    const Text near = did_you_mean(name, names_of(loading.catalogue.datasets));
    table.problem("type", Text{"没有数据集「" + name + "」" + near.zh, "there is no dataset '" + name + "'" + near.en});
    return false;
  }
  if (target->by_kernel) {
    table.problem("type", bilingual("「{}」由系统自己写入，不能被引用",
                                    "'{}' is written by the system itself and cannot be referred to", {name}));
    return false;
  }
  field.ref = target->index;
  return true;
}

bool read_type(Loading& loading, const Table& table, Field& field) {
  const std::string text = table.text("type");
  if (text.empty()) return false;
  const auto call = parse_call(text);
  if (call && call->has_argument) {
    if (call->name == "code") return read_code_type(loading, table, call->argument, field);
    if (call->name == "ref") return read_ref_type(loading, table, call->argument, field);
    const bool is_text = call->name == "text";
    if (is_text || call->name == "decimal") {
      field.type = is_text ? Type::text : Type::decimal;
      const auto size =
          is_text ? small_number(call->argument, 1, kTextMax) : small_number(call->argument, 1, kPlacesMax);
      if (size) {
        field.size = *size;
        return true;
      }
      table.problem("type", is_text ? bilingual("text(n) 的 n 应为 1 至 {}", "n of text(n) must be 1 to {}",
                                                {std::to_string(kTextMax)})
                                    : bilingual("decimal(n) 的 n 应为 1 至 {}", "n of decimal(n) must be 1 to {}",
                                                {std::to_string(kPlacesMax)}));
      return false;
    }
  } else if (call) {
    for (const Type type : {Type::integer, Type::date, Type::timestamp, Type::boolean, Type::weeks}) {
      if (call->name != type_name(type)) continue;
      field.type = type;
      return true;
    }
  }
  table.problem(
      "type",
      bilingual("没有类型「{}」；可用：text(n) int decimal(n) date timestamp bool weeks code(SET) ref(dataset)",
                "there is no type '{}'; use text(n) int decimal(n) date timestamp bool weeks code(SET) ref(dataset)",
                {text}));
  return false;
}

struct MaskRow {
  const char* name;
  Mask::Kind kind;
  enum { texts, dates, numbers, any } of;
  bool argument;
};
constexpr MaskRow kMasks[] = {
    {"none", Mask::Kind::none, MaskRow::any, false},
    {"keep_last", Mask::Kind::keep_last, MaskRow::texts, true},
    {"keep_first", Mask::Kind::keep_first, MaskRow::texts, true},
    {"surname", Mask::Kind::surname, MaskRow::texts, false},
    {"year", Mask::Kind::year, MaskRow::dates, false},
    {"phone", Mask::Kind::phone, MaskRow::texts, false},
    {"email", Mask::Kind::email, MaskRow::texts, false},
    {"id_number", Mask::Kind::id_number, MaskRow::texts, false},
    {"bucket", Mask::Kind::bucket, MaskRow::numbers, true},
};

bool mask_fits(const MaskRow& row, Type type) {
  switch (row.of) {
    case MaskRow::texts:
      return type == Type::text;
    case MaskRow::dates:
      return type == Type::date;
    case MaskRow::numbers:
      return type == Type::integer || type == Type::decimal;
    case MaskRow::any:
      return true;
  }
  return false;
}

void wrong_mask(const Table& table, const Field& field) {
  std::string all;
  for (const MaskRow& row : kMasks) {
    if (mask_fits(row, field.type))
      all += (all.empty() ? "" : " ") + std::string(row.name) + (row.argument ? "(n)" : "");
  }
  table.problem("mask", bilingual("此类型可用的遮盖：{}", "masks of this type: {}", {all}));
}

void read_mask(const Catalogue& catalogue, const Table& table, Field& field) {
  if (!table.has("mask")) return;
  const std::string text = table.text("mask");
  if (text.empty()) return;
  const auto call = parse_call(text);
  const auto row = std::find_if(std::begin(kMasks), std::end(kMasks),
                                [&](const MaskRow& each) { return call && call->name == each.name; });
  if (row == std::end(kMasks) || !mask_fits(*row, field.type) || row->argument != call->has_argument)
    return wrong_mask(table, field);
  field.mask.kind = row->kind;
  if (!row->argument) return;
  if (row->kind == Mask::Kind::bucket) {
    Field plain = field;  // the width is written as a value of the field is
    plain.min = plain.max = std::nullopt;
    const auto width = parse_literal(catalogue, plain, call->argument);
    if (width && std::holds_alternative<int64_t>(*width) && std::get<int64_t>(*width) > 0) {
      field.mask.n = std::get<int64_t>(*width);
      return;
    }
    return wrong_mask(table, field);
  }
  const auto n = small_number(call->argument, 1, field.size);
  if (!n) return wrong_mask(table, field);
  field.mask.n = *n;
}

// Whether `mask` shows nothing that `source` hides.
bool not_weaker(const Mask& mask, const Mask& source) {
  using Kind = Mask::Kind;
  const auto plain = [](const Mask& m) {  // surname is keep_first(1), id_number is keep_last(4)
    if (m.kind == Kind::surname) return Mask{Kind::keep_first, 1};
    if (m.kind == Kind::id_number) return Mask{Kind::keep_last, 4};
    return m;
  };
  const Mask a = plain(mask), b = plain(source);
  if (a.kind == Kind::none || a == b) return true;
  if (a.kind != b.kind) return false;
  if (a.kind == Kind::bucket) return a.n % b.n == 0;
  return a.n <= b.n;
}

std::optional<int64_t> read_bound(const Catalogue& catalogue, const Table& table, const char* key, const Field& field) {
  const Node* node = table.find(key);
  if (node == nullptr) return std::nullopt;
  const bool numbers = field.type == Type::integer || field.type == Type::decimal;
  if (!numbers && field.type != Type::date) {
    table.problem(key, bilingual("只有数和日期才有「{}」", "only numbers and dates have '{}'", {key}));
    return std::nullopt;
  }
  std::string text = node->text;
  if (node->kind == Node::Kind::integer) text = std::to_string(node->integer);
  if (node->kind == Node::Kind::real) {
    char digits[400];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, node->real, std::chars_format::fixed);
    if (error == std::errc{}) text.assign(digits, end);
  }
  const auto value = parse_literal(catalogue, field, text);
  if (!value || text.empty()) {
    table.problem(key, value ? bilingual("「{}」不得为空", "'{}' must not be empty", {key}) : value.refusal().detail);
    return std::nullopt;
  }
  if (numbers) return std::get<int64_t>(*value);
  return Date::parse(std::get<std::string>(*value)).value().days;
}

void read_pattern(const Table& table, Field& field) {
  field.pattern = table.text_if_any("pattern");
  if (field.pattern.empty()) return;
  if (field.type != Type::text || field.size > kPatternTextMax) {
    return table.problem("pattern", bilingual("只有至多 {} 个字的 text 字段才有 pattern",
                                              "only text fields of at most {} characters have a pattern",
                                              {std::to_string(kPatternTextMax)}));
  }
  try {
    field.matcher = std::make_shared<Pattern>(field.pattern);
  } catch (const std::regex_error&) {
    table.problem("pattern", bilingual("不是正确的正则表达式（ECMAScript）", "not a regular expression (ECMAScript)"));
  }
}

Level read_level(const Table& table, std::optional<Level> otherwise) {
  if (!table.has("level")) {
    if (!otherwise) {
      table.problem("level", bilingual("缺少「level」：1 公开，2 一般，3 敏感，4 重要",
                                       "'level' is missing: 1 public, 2 internal, 3 sensitive, 4 important"));
    }
    return otherwise.value_or(Level::important);
  }
  const auto level = table.integer("level");
  if (level && *level >= 1 && *level <= 4) return static_cast<Level>(*level);
  if (level)
    table.problem("level", bilingual("level 应为 1 公开、2 一般、3 敏感、4 重要",
                                     "level must be 1 public, 2 internal, 3 sensitive or 4 important"));
  return Level::important;
}

void check_field_name(const Table& table, const Dataset& dataset, const std::string& name) {
  if (name.empty()) return;
  if (!is_plain_name(name)) {
    table.problem(
        "name",
        bilingual("名称应为小写字母开头的小写字母、数字、下划线，至多 40 个",
                  "a name is lower-case letters, digits and _, begins with a letter, and has at most 40 characters"));
  } else if (is_reserved_field(name)) {
    table.problem("name", bilingual("「{}」为系统保留，请另取名", "'{}' is reserved: choose another name", {name}));
  } else if (dataset.field(name) >= 0) {
    table.problem("name", bilingual("字段「{}」重复", "field '{}' stands here twice", {name}));
  }
}

void check_example(const Catalogue& catalogue, const Table& table, const Field& field) {
  if (field.example.empty()) return;
  if (field.code_set >= 0 && catalogue.code_sets[static_cast<size_t>(field.code_set)].made) return;
  Field plain = field;
  plain.example.clear();  // the problem would otherwise recommend the wrong example
  const auto value = parse_value(catalogue, plain, field.example);
  if (!value)
    table.problem("example", Text{"示例不合规则：" + value.refusal().detail.zh,
                                  "the example breaks the rules: " + value.refusal().detail.en});
}

void read_weekday(const Table& table, Field& field) {
  if (!table.has("weekday")) return;
  const auto day = table.integer("weekday");
  if (!day) return;
  if (field.type != Type::date || *day < 1 || *day > 7)
    return table.problem("weekday", bilingual("weekday 只用于 date 字段，应为 1（星期一）到 7（星期日）",
                                              "weekday is for fields of type date: 1 (Monday) to 7 (Sunday)"));
  field.weekday = static_cast<int>(*day);
}

void read_field(Loading& loading, Dataset& dataset, const Node& node) {
  const Table table(node, dataset.file, loading.problems,
                    {"name", "label", "type", "required", "level", "mask", "standard", "example", "help", "min", "max",
                     "weekday", "pattern", "header", "sort"});
  Field field;
  field.name = table.text("name");
  check_field_name(table, dataset, field.name);
  field.label = table.label("label");
  field.required = table.boolean("required", false);
  field.level = read_level(table, std::nullopt);
  field.standard = table.text_if_any("standard");
  field.example = table.text_if_any("example");
  field.header = table.text_if_any("header");
  field.help = table.label_if_any("help");
  if (!read_type(loading, table, field)) {
    loading.broken.emplace(dataset.index, static_cast<int>(dataset.fields.size()));
  } else {
    const size_t before = loading.problems.size();
    read_mask(loading.catalogue, table, field);
    field.min = read_bound(loading.catalogue, table, "min", field);
    field.max = read_bound(loading.catalogue, table, "max", field);
    if (field.min && field.max && *field.min > *field.max) {
      table.problem("max", bilingual("max 小于 min", "max is less than min"));
    }
    read_weekday(table, field);
    read_pattern(table, field);
    const std::string sort = table.text_if_any("sort");
    field.pinyin = sort == "pinyin";
    if (!sort.empty() && (sort != "pinyin" || field.type != Type::text)) {
      table.problem("sort", bilingual("sort 只能是 \"pinyin\"，用于 text 类型的姓名",
                                      "sort can only be \"pinyin\", for names of type text"));
    }
    if (loading.problems.size() == before) check_example(loading.catalogue, table, field);
  }
  dataset.fields.push_back(std::move(field));
}

void read_lookup(Loading& loading, Dataset& dataset, const Node& node) {
  const Table table(node, dataset.file, loading.problems,
                    {"name", "from", "label", "level", "mask", "help", "header", "standard"});
  const std::string name = table.text("name"), from = table.text("from");
  check_field_name(table, dataset, name);
  const Text label = table.label("label");
  if (from.empty()) return;
  auto path = follow(loading, static_cast<size_t>(dataset.index), Word{from, table.line("from")}, false);
  if (!path) return;
  const int target = path->back();
  path->pop_back();
  if (path->empty()) {
    return table.problem("from", bilingual("from 应为 ref 字段加被借字段，如 student.name",
                                           "from must be a ref and then the field borrowed, such as student.name"));
  }
  const Dataset* source_dataset = &dataset;
  for (const int hop : *path)
    source_dataset = &loading.dataset(static_cast<size_t>(source_dataset->fields[static_cast<size_t>(hop)].ref));
  const Field& source = source_dataset->fields[static_cast<size_t>(target)];
  Field field = source;
  field.name = name;
  field.label = label;
  field.required = false;
  field.path = std::move(*path);
  field.target = target;
  field.pattern.clear();
  field.matcher.reset();
  field.min = field.max = std::nullopt;
  field.weekday = 0;
  if (auto help = table.label_if_any("help")) field.help = std::move(help);
  if (table.has("header")) field.header = table.text("header");
  if (table.has("standard")) field.standard = table.text("standard");
  field.level = read_level(table, source.level);
  if (field.level < source.level) {
    table.problem("level", bilingual("借用字段的级别不得低于来源「{}」的 {}",
                                     "a borrowed field is never of a lower level than its source '{}', which has {}",
                                     {from, std::to_string(static_cast<int>(source.level))}));
  }
  read_mask(loading.catalogue, table, field);
  if (!not_weaker(field.mask, source.mask)) {
    table.problem("mask", bilingual("借用字段的遮盖不得弱于来源「{}」",
                                    "a borrowed field is never masked less than its source '{}'", {from}));
  }
  dataset.fields.push_back(std::move(field));
}

}  // namespace

bool is_reserved_field(std::string_view name) {
  // Our own columns, and names that mean something else to a store even when quoted.
  constexpr std::string_view kNames[] = {"id",    "person_id", "batch_id", "since_us", "until_us", "ended_batch_id",
                                         "rowid", "oid",       "ctid",     "xmin",     "xmax",     "cmin",
                                         "cmax",  "tableoid"};
  return std::find(std::begin(kNames), std::end(kNames), name) != std::end(kNames) || name.ends_with("_sort");
}

std::vector<std::string> field_names(const Dataset& dataset) {
  return names_of(dataset.fields);
}

std::optional<std::vector<int>> follow(Loading& loading, size_t dataset, const Word& path, bool last_is_ref) {
  std::vector<int> fields;
  const auto parts = split(path.text, '.');
  const std::string& file = loading.dataset(dataset).file;
  size_t at = dataset;
  for (size_t i = 0; i < parts.size(); ++i) {
    const Dataset& here = loading.dataset(at);
    const std::string part(parts[i]);
    const int index = here.field(part);
    if (index < 0) {
      const Text near = did_you_mean(part, field_names(here));
      loading.problems.add(file, path.line,
                           Text{"「" + here.name + "」没有字段「" + part + "」" + near.zh,
                                "'" + here.name + "' has no field '" + part + "'" + near.en});
      return std::nullopt;
    }
    const Field& field = here.fields[static_cast<size_t>(index)];
    if (field.is_lookup()) {
      loading.problems.add(file, path.line,
                           bilingual("「{}」是借用字段，路径请写到其来源",
                                     "'{}' is itself borrowed: write the path to its source", {part}));
      return std::nullopt;
    }
    fields.push_back(index);
    if (i + 1 == parts.size() && !last_is_ref) break;
    if (loading.broken.contains({here.index, index})) return std::nullopt;
    if (field.type != Type::ref) {
      loading.problems.add(
          file, path.line,
          bilingual("「{}」不是 ref 字段，路径到此为止", "'{}' is not a ref, so the path ends there", {part}));
      return std::nullopt;
    }
    at = static_cast<size_t>(field.ref);
  }
  return fields;
}

void load_fields(Loading& loading) {
  for (size_t i = 0; i < loading.tables.size(); ++i) {
    const auto nodes = loading.tables[i].tables("field");
    if (nodes.empty() && !loading.tables[i].has("field")) loading.tables[i].missing("field");
    for (const Node* node : nodes) read_field(loading, loading.dataset(i), *node);
  }
}

void load_lookups(Loading& loading) {
  // Lookups borrow own fields only, so the order of datasets does not matter.
  for (size_t i = 0; i < loading.tables.size(); ++i) {
    for (const Node* node : loading.tables[i].tables("lookup")) read_lookup(loading, loading.dataset(i), *node);
  }
}

}  // namespace jw::catalog
