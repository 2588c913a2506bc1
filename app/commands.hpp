// The commands of `jiaowu`. Each takes the words after its name and gives the exit code; mistakes of the operator are UsageError or
// std::runtime_error and become one line on stderr.
#pragma once

#include <string>
#include <vector>

namespace jw::app {

using Words = std::vector<std::string>;

int serve(const Words& words);
int demo(const Words& words);
int import_file(const Words& words);
int account(const Words& words);
int audit(const Words& words);
int migrate(const Words& words);
int dictionary(const Words& words);
int permissions(const Words& words);

}  // namespace jw::app
