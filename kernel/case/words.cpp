// The words of the tables of kinds as code sets of the catalogue.
#include <stdexcept>

#include "kernel/case/api.hpp"

namespace jw::cases {

const Waits kWaitsNobody{"nobody", {"无", "nobody"}};
const Waits kWaitsApplicant{"applicant", {"申请人", "applicant"}};

std::string_view name_of(Tone tone) {
  constexpr std::string_view kNames[] = {"plain", "good", "bad", "back"};
  return kNames[static_cast<size_t>(tone)];
}

namespace {

void add(catalog::CodeSet& set, std::string_view name, const Text& label) {
  if (const catalog::Code* known = set.find(name)) {
    if (known->name == label) return;
    throw std::logic_error(set.name + " calls '" + std::string(name) + "' by two names");
  }
  catalog::Code code;
  code.code = name;
  code.name = label;
  code.ext = true;
  set.codes.push_back(std::move(code));
}

}  // namespace

std::vector<catalog::CodeSet> code_sets(std::span<const Kind* const> kinds) {
  std::vector<catalog::CodeSet> sets(3);
  sets[0].name = "CASE_KIND";
  sets[1].name = "CASE_STATE";
  sets[2].name = "CASE_WAITS";
  for (const Kind* kind : kinds) {
    add(sets[0], kind->name, kind->label);
    for (const State& state : kind->states) {
      add(sets[1], state.name, state.label);
      add(sets[2], state.waits_for.name, state.waits_for.label);
    }
  }
  return sets;
}

}  // namespace jw::cases
