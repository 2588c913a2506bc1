// jiaowu import: sections exported from a ZFSoft system.
#include <algorithm>
#include <fstream>
#include <iostream>

#include "base/json.hpp"
#include "base/text.hpp"
#include "kernel/edge/module.hpp"
#include "modules/zfsoft/api.hpp"
#include "platform/crypto/api.hpp"

namespace jw::zfsoft {

namespace {

std::string read_file(const std::string& name) {
  std::ifstream in(name, std::ios::binary);
  if (!in) throw edge::UsageError("读不到文件 " + name + " / cannot read " + name);
  std::string text;
  char block[1 << 16];
  while (in.read(block, sizeof block) || in.gcount() > 0) {
    text.append(block, static_cast<size_t>(in.gcount()));
    if (text.size() > kFileMax) throw edge::UsageError("文件过大 / the file is too large: " + name);
  }
  return text;
}

constexpr size_t kAddedListed = 200;  // above, what is new is counted by kind

void print_problems(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) {
    const std::string place = problem.row == 0
                                  ? "文件 / file"
                                  : "第 " + std::to_string(problem.row) + " 行 / row " + std::to_string(problem.row);
    std::cout << place << " " << problem.field << (problem.lost ? "！" : "：") << problem.text.zh << " / "
              << problem.text.en << "\n";
  }
}

Text word_of(Change::Kind kind) {
  return kind == Change::Kind::added     ? Text{"新增", "added"}
         : kind == Change::Kind::changed ? Text{"更改", "changed"}
                                         : Text{"结束", "ended"};
}

void print_changes(const std::vector<Change>& changes, const catalog::Catalogue& catalogue) {
  std::map<std::string, int64_t> added;
  for (const Change& each : changes) {
    if (each.kind == Change::Kind::added) ++added[each.dataset];
  }
  int64_t all = 0;
  for (const auto& [dataset, count] : added) all += count;
  const bool counted = all > static_cast<int64_t>(kAddedListed);
  for (const auto& [name, count] : added) {
    const Text& label = catalogue.find(name)->label;
    if (counted) std::cout << "新增 " << label.zh << " " << count << " / added " << count << ": " << label.en << "\n";
  }
  for (const Change& each : changes) {
    if (counted && each.kind == Change::Kind::added) continue;
    const Text word = word_of(each.kind), &label = catalogue.find(each.dataset)->label;
    std::cout << word.zh << " " << label.zh << " " << each.key << (each.what.zh.empty() ? "" : "：") << each.what.zh
              << " / " << word.en << " " << label.en << (each.what.en.empty() ? "" : ": ") << each.what.en << "\n";
  }
}

void print_summary(const Imported& imported, bool check) {
  const auto count = [&](Change::Kind kind) {
    return std::count_if(imported.changes.begin(), imported.changes.end(),
                         [&](const Change& each) { return each.kind == kind; });
  };
  const auto added = count(Change::Kind::added), changed = count(Change::Kind::changed),
             ended = count(Change::Kind::ended);
  const int64_t same = imported.same;
  std::cout << "新增 " << added << "，更改 " << changed << "，结束 " << ended << "，不变 " << same << " / added "
            << added << ", changed " << changed << ", ended " << ended << ", the same " << same << "\n";
  if (check) {
    std::cout << "只检查，未写入 / checked only, nothing was written\n";
  } else if (imported.changes.empty()) {
    std::cout << "没有变化，未生成批次 / no change, no batch\n";
  }
  std::string summary;
  JsonWriter(summary)
      .object()
      .field("rows", imported.rows)
      .field("sections", imported.sections)
      .field("courses", imported.courses)
      .field("teachers", imported.teachers)
      .field("meetings", imported.meetings)
      .field("problems", static_cast<int64_t>(imported.problems.size()))
      .end_object();
  std::cout << summary << '\n' << std::flush;
}

std::set<std::string> words_of(const std::optional<std::string>& listed) {
  std::set<std::string> words;
  for (const std::string_view word : split(listed.value_or(""), ',')) {
    if (!trim(word).empty()) words.emplace(trim(word));
  }
  return words;
}

template <class T>
T taken(const std::string& file, Result<T> result) {
  if (!result) throw std::runtime_error(file + ": " + result.refusal().detail.zh + " / " + result.refusal().detail.en);
  return std::move(result).value();
}

// Exit 0: everything got in. 3: something did not, or must be put right (lines with ！); the rest stands.
int import_file(const edge::Words& words, const edge::OpenHouse& open) {
  const edge::Arguments arguments(words, {"db", "home", "term", "unit"}, {"check"});
  if (arguments.rest().size() != 2 || arguments.rest().front() != "zfsoft-sections")
    throw edge::UsageError("用法：import zfsoft-sections FILE / usage: import zfsoft-sections FILE");
  const std::string file = arguments.rest().back();
  const bool check = arguments.flag("check");
  const std::string text = read_file(file);
  const auto found = taken(file, read_export(text));
  const auto house =
      open({.db = arguments.required("db"), .home = arguments.option("home").value_or(""), .create = !check});
  const Settled settled = settle(found, house->catalogue);
  const Scope scope =
      taken(file, scope_of(settled, words_of(arguments.option("term")), words_of(arguments.option("unit"))));
  Imported imported;
  int64_t outbox = 0;
  {
    const db::Store::Lease lease = house->store.writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const change::Head head{"import",
                            "zfsoft-sections",
                            std::filesystem::path(file).filename().string(),
                            crypto::hex(crypto::sha256(text)),
                            change::Operator{edge::operator_hand().name},
                            scope.print()};
    change::Batch batch(house->catalogue, *lease, head, house->clock.now());
    imported = taken(file, load(found, settled, scope, batch));
    // What changes nothing leaves no batch, and what is only checked nothing at all.
    if (!check && !imported.changes.empty()) {
      outbox = batch.finish(&house->recorder);
      transaction.commit();
    }
  }
  if (outbox != 0) house->recorder.deliver(outbox);
  std::cout << "范围 / scope " << scope.print()
            << (found.whole ? "" : "（文件不完整，只增改 / the file is not whole: nothing is ended)") << "\n";
  print_problems(imported.problems);
  print_changes(imported.changes, house->catalogue);
  print_summary(imported, check);
  const auto is_lost = [](const Problem& problem) { return problem.lost; };
  return std::any_of(imported.problems.begin(), imported.problems.end(), is_lost) ? 3 : 0;
}

constexpr edge::Command kCommands[] = {
    {"import",
     "import zfsoft-sections FILE --db URL [--term TERM,…] [--unit CODE,…] [--check]\n      "
     "导入正方教务系统导出的教学班；--check 只显示将要做的 / import the sections exported from a ZFSoft system; "
     "--check shows "
     "what would be done",
     import_file},
};

}  // namespace

extern const edge::Module kModule;
const edge::Module kModule{
    .name = "zfsoft",
    .label = {"正方系统导出的数据", "exports of ZFSoft systems"},
    .clause = "4.1.2",
    .commands = kCommands,
};

}  // namespace jw::zfsoft
