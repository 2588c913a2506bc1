// Reading and writing the rows of a case. Inside kernel/case only.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "kernel/case/api.hpp"

namespace jw::cases {

std::vector<Step> read_steps(db::Connection& connection, int64_t id);  // of the case with this id, in order
// `lock`: inside a writing transaction, so that nobody else takes a step meanwhile.
std::optional<Case> read_case(db::Connection& connection, std::span<const Kind* const> kinds, std::string_view number,
                              bool lock);
void insert_case(db::Connection& transaction, const Case& file);
void update_case(db::Connection& transaction, const Case& file);
void insert_step(db::Connection& transaction, const Case& file, const Step& step);
// By which post this actor takes the steps that `who` takes; nullptr: by none.
const Actor::Held* holding(const Case& file, const Who& who, const Actor& actor);
// The written reply as a PDF.
Result<std::string> print_letter(const Services& on, const Letter& letter, const std::string& number,
                                 const std::string& code, Instant now);

}  // namespace jw::cases
