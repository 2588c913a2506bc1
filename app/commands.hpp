// The commands of `jiaowu` that belong to no module. Each takes the words after its name and gives the exit code;
// mistakes of the operator are edge::UsageError or std::runtime_error and become one line on stderr.
#pragma once

#include <span>

#include "kernel/edge/api.hpp"
#include "kernel/edge/arguments.hpp"

namespace jw::app {

int serve(const edge::Words& words);
// The same with further routes: the bench puts an ungoverned reference beside the product's own.
int serve_with(const edge::Words& words, std::span<const edge::Route> further);
int init(const edge::Words& words);
int account(const edge::Words& words);
int record(const edge::Words& words);
int audit(const edge::Words& words);
int migrate(const edge::Words& words);
int dictionary(const edge::Words& words);
int permissions(const edge::Words& words);
int openapi(const edge::Words& words);

}  // namespace jw::app
