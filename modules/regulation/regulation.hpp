// Inside modules/regulation only: what its module.cpp is made of.
#pragma once

#include "kernel/edge/module.hpp"

namespace jw::regulation {

// Powers, regulation.toml.
constexpr std::string_view kRead = "regulation_read", kPreview = "regulation_preview", kPropose = "regulation_propose",
                           kApprove = "regulation_approve", kSight = "sight_ask";

record::Entry entry_of(const edge::Call& call, std::string_view action);  // of looking, under the rules in force

int command(const edge::Words& words, const edge::OpenHouse& open);

void read(const edge::Call& call);
void read_difference(const edge::Call& call);
void preview(const edge::Call& call);
void propose(const edge::Call& call);
void roll_back(const edge::Call& call);
void approve(const edge::Call& call);
void reject(const edge::Call& call);
void withdraw(const edge::Call& call);
void see_cell(const edge::Call& call);
void see_person(const edge::Call& call);

}  // namespace jw::regulation
