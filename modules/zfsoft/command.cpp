// jiaowu import: sections exported from a ZFSoft system.
#include <fstream>
#include <iostream>

#include "base/json.hpp"
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

void print_problems(const std::vector<Problem>& problems) {
  for (const Problem& problem : problems) {
    const std::string place = problem.row == 0
                                  ? "文件 / file"
                                  : "第 " + std::to_string(problem.row) + " 行 / row " + std::to_string(problem.row);
    std::cout << place << " " << problem.field << "：" << problem.text.zh << " / " << problem.text.en << "\n";
  }
}

int import_file(const edge::Words& words, const edge::OpenHouse& open) {
  const edge::Arguments arguments(words, edge::with_store(), {});
  if (arguments.rest().size() != 2 || arguments.rest().front() != "zfsoft-sections")
    throw edge::UsageError("用法：import zfsoft-sections FILE / usage: import zfsoft-sections FILE");
  const std::string file = arguments.rest().back();
  const std::string text = read_file(file);
  const Result<Export> found = read_export(text);
  if (!found) throw std::runtime_error(file + ": " + found.refusal().detail.zh + " / " + found.refusal().detail.en);
  const auto house = open(arguments, true);
  Imported imported;
  int64_t outbox = 0;
  {
    const db::Store::Lease lease = house->store.writer();
    db::Transaction transaction(*lease, db::Transaction::Mode::write);
    const change::Head head{"import", "zfsoft-sections", std::filesystem::path(file).filename().string(),
                            crypto::hex(crypto::sha256(text)), change::Operator{edge::operator_hand().name}};
    change::Batch batch(house->catalogue, *lease, head, house->clock.now());
    imported = load(*found, batch);
    outbox = batch.finish(&house->recorder);
    transaction.commit();
  }
  house->recorder.deliver(outbox);
  print_problems(imported.problems);
  std::cout << "新增 " << imported.counts.added << "，更改 " << imported.counts.replaced << "，不变 "
            << imported.counts.same << " / added " << imported.counts.added << ", changed " << imported.counts.replaced
            << ", the same " << imported.counts.same << "\n";
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
  return 0;
}

constexpr edge::Command kCommands[] = {
    {"import",
     "import zfsoft-sections FILE --db URL [--key-file FILE]\n      导入正方教务系统导出的教学班 / import the sections "
     "exported from a "
     "ZFSoft system",
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
