#include <exception>
#include <iostream>
#include <string_view>

#include "app/commands.hpp"
#include "app/modules.hpp"
#include "app/system.hpp"

namespace {

struct Command {
  std::string_view name;
  int (*run)(const jw::edge::Words&);
  std::string_view usage;
};

constexpr Command kCommands[] = {
    {"serve", jw::app::serve,
     "serve --db URL --listen HOST:PORT [--home DIR] [--key-file FILE] [--witness DIR] [--certificate PEM --key PEM] "
     "[--clock FILE] "
     "[--log FILE] [--public-url URL] [--smtp URL --mail-from ADDRESS --smtp-user USER --smtp-password-file FILE]\n"
     "      提供服务 / serve"},
    {"init", jw::app::init, "init --db URL [--key-file FILE]\n      新建一个空的数据库 / make a new, empty store"},
    {"account", jw::app::account,
     "account add --db URL --kind KIND --account A [--person NUMBER] [--key-file FILE]\n"
     "      为尚无账号的类别建第一个账号 / make the first account of a kind"},
    {"audit", jw::app::audit,
     "audit verify --db URL [--against CHECKPOINT] [--key-file FILE]\n"
     "      核验全部记录，以及数据库与记录相符 / verify the whole record, and that the store is as it says"},
    {"record", jw::app::record,
     "record adopt --db URL --reason TEXT [--key-file FILE]\n"
     "      数据库与记录不相符时，以现状继续，记录在案 / go on with a store and a record that do not fit; it is "
     "recorded"},
    {"migrate", jw::app::migrate,
     "migrate --db URL [--apply [--drop DATASET,…]] [--key-file FILE]\n      显示（并执行）表结构的变化 / show (and "
     "apply) the changes of tables"},
    {"dictionary", jw::app::dictionary, "dictionary [--home DIR]\n      数据字典 / the data dictionary"},
    {"permissions", jw::app::permissions,
     "permissions [--home DIR]\n      默认权限一览：岗位 × 数据 × 行 × 字段 / the default permissions as a table"},
    {"openapi", jw::app::openapi,
     "openapi [--home DIR]\n      接口的 OpenAPI 描述 / the OpenAPI description of the interface"},
};

int usage(std::ostream& out) {
  out << "jiaowu 教务\n";
  for (const Command& command : kCommands) out << "  jiaowu " << command.usage << "\n";
  for (const jw::edge::Module* module : jw::app::modules()) {
    for (const jw::edge::Command& command : module->commands) out << "  jiaowu " << command.usage << "\n";
  }
  out << "  URL: sqlite:PATH | postgresql://…\n";
  return 2;
}

std::shared_ptr<jw::edge::House> open_house(const jw::edge::Arguments& arguments, bool create) {
  const std::shared_ptr<jw::app::System> system = jw::app::open_system(jw::app::options_of(arguments, create));
  return {system, system->house.get()};
}

// Mistakes become one line on stderr.
template <class Run>
int told(std::string_view name, std::string_view usage, Run run) {
  try {
    return run();
  } catch (const jw::edge::UsageError& error) {
    std::cerr << "jiaowu " << name << ": " << error.what() << "\n  jiaowu " << usage << "\n";
    return 2;
  } catch (const jw::record::Apart& apart) {
    const jw::Text& advice = jw::record::apart_advice();
    std::cerr << "jiaowu " << name << ": " << apart.what() << "\n  " << advice.zh << " / " << advice.en << "\n";
    return 1;
  } catch (const std::exception& error) {
    std::cerr << "jiaowu " << name << ": " << error.what() << "\n";
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const jw::edge::Words words(argv + 1, argv + argc);
  if (words.empty()) return usage(std::cerr);
  if (words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    usage(std::cout);
    return 0;
  }
  const jw::edge::Words rest(words.begin() + 1, words.end());
  for (const Command& command : kCommands) {
    if (command.name == words[0]) return told(command.name, command.usage, [&] { return command.run(rest); });
  }
  for (const jw::edge::Module* module : jw::app::modules()) {
    for (const jw::edge::Command& command : module->commands) {
      if (command.name == words[0])
        return told(command.name, command.usage, [&] { return command.run(rest, open_house); });
    }
  }
  std::cerr << "没有命令 " << words[0] << " / there is no command " << words[0] << "\n";
  return usage(std::cerr);
}
