#include <exception>
#include <iostream>
#include <string_view>

#include "app/arguments.hpp"
#include "app/commands.hpp"

namespace {

struct Command {
  std::string_view name;
  int (*run)(const jw::app::Words&);
  std::string_view usage;
};

constexpr Command kCommands[] = {
    {"serve", jw::app::serve,
     "serve --db URL --listen HOST:PORT [--home DIR] [--witness DIR] [--certificate PEM --key PEM] [--clock FILE] "
     "[--log FILE] [--public-url URL] [--smtp URL --mail-from ADDRESS --smtp-user USER --smtp-password-file FILE]\n"
     "      提供服务 / serve"},
    {"demo", jw::app::demo,
     "demo --db URL --students N --seed S --accounts FILE [--sign-ins N]\n"
     "      建一所虚构的大学 / make a made-up university"},
    {"import", jw::app::import_file,
     "import zfsoft-sections FILE --db URL\n      导入正方教务系统导出的教学班 / import the sections exported from a "
     "ZFSoft system"},
    {"account", jw::app::account,
     "account add --db URL --kind KIND --account A [--person NUMBER]\n"
     "      为尚无账号的类别建第一个账号 / make the first account of a kind"},
    {"calendar", jw::app::calendar,
     "calendar import FILE --db URL [--reason TEXT] [--check]\n"
     "      导入某年的放假安排 / import the days off of a year"},
    {"audit", jw::app::audit,
     "audit verify --db URL [--against CHECKPOINT]\n      核验全部记录 / verify the whole record"},
    {"migrate", jw::app::migrate,
     "migrate --db URL [--apply]\n      显示（并执行）表结构的变化 / show (and apply) the changes of tables"},
    {"dictionary", jw::app::dictionary, "dictionary [--home DIR]\n      数据字典 / the data dictionary"},
    {"permissions", jw::app::permissions,
     "permissions [--home DIR]\n      默认权限一览：岗位 × 数据 × 行 × 字段 / the default permissions as a table"},
};

int usage(std::ostream& out) {
  out << "jiaowu 教务\n";
  for (const Command& command : kCommands) out << "  jiaowu " << command.usage << "\n";
  out << "  URL: sqlite:PATH | postgresql://…\n";
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.empty()) return usage(std::cerr);
  if (words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    usage(std::cout);
    return 0;
  }
  for (const Command& command : kCommands) {
    if (command.name != words[0]) continue;
    try {
      return command.run({words.begin() + 1, words.end()});
    } catch (const jw::app::UsageError& error) {
      std::cerr << "jiaowu " << command.name << ": " << error.what() << "\n  jiaowu " << command.usage << "\n";
      return 2;
    } catch (const std::exception& error) {
      std::cerr << "jiaowu " << command.name << ": " << error.what() << "\n";
      return 1;
    }
  }
  std::cerr << "没有命令 " << words[0] << " / there is no command " << words[0] << "\n";
  return usage(std::cerr);
}
