// The commands of `jiaowu`. Each takes the words after its name and gives the exit code; mistakes of the operator are
// UsageError or std::runtime_error and become one line on stderr.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/serving.hpp"

namespace jw::app {

using Words = std::vector<std::string>;

int serve(const Words& words);
// The same with further routes: the bench puts an ungoverned reference beside the product's own.
int serve_with(const Words& words, const std::function<std::vector<http::Route>(Serving&)>& further);
int demo(const Words& words);
int import_file(const Words& words);
int account(const Words& words);
int calendar(const Words& words);
int audit(const Words& words);
int migrate(const Words& words);
int dictionary(const Words& words);
int permissions(const Words& words);

}  // namespace jw::app
