// The made-up university: for trials, tests and measurements; its command, and the gallery of its persons.
#include <iostream>

#include "kernel/edge/module.hpp"
#include "modules/made_up/api.hpp"
#include "modules/made_up/gallery.hpp"

namespace jw::made_up {

namespace {

int demo(const edge::Words& words, const edge::OpenHouse& open) {
  const edge::Arguments arguments(words, edge::with_store({"students", "seed", "accounts", "sign-ins"}), {});
  Options size;
  size.accounts_file = arguments.required("accounts");
  size.students = arguments.number("students", 2000, kStudentsMin, kStudentsMax);
  size.seed = static_cast<uint64_t>(arguments.number("seed", 1, 0, INT64_MAX));
  size.sign_ins = arguments.number("sign-ins", 0, 0, kStudentsMax);
  const auto house = open(arguments, true);
  const Result<Summary> filled =
      fill(house->catalogue, house->policy.rules()->regulation(), house->store, &house->recorder, house->clock, size,
           [](const Text& step) { std::cout << step.zh << " / " << step.en << '\n'
                                            << std::flush; });
  if (!filled) throw std::runtime_error(filled.refusal().detail.zh + " / " + filled.refusal().detail.en);
  if (house->store.dialect() == db::Dialect::postgres) house->store.writer()->script("ANALYZE");
  std::cout << "虚构的大学已就绪：学生 " << filled->students << " 人，成绩 " << filled->grades << " 条，可登录账号 "
            << filled->sign_ins << " 个，见 " << size.accounts_file
            << " / the made-up university is ready: " << filled->students << " students, " << filled->grades
            << " grades, " << filled->sign_ins << " sign-ins in " << size.accounts_file << '\n'
            << std::flush;
  return 0;
}

constexpr edge::Command kCommands[] = {
    {"demo",
     "demo --db URL --students N --seed S --accounts FILE [--sign-ins N] [--key-file FILE]\n      建一所虚构的大学 / "
     "make a made-up "
     "university",
     demo},
};

const edge::Place kPlaces[] = {{.name = "same", .label = {"六种人", "Six people"}, .open = edge::everybody}};

}  // namespace

extern const edge::Module kModule;
const edge::Module kModule{
    .name = "made_up",
    .label = {"虚构的大学", "the made-up university"},
    .clause = "1.3.4",
    .routes = gallery_routes(),
    .places = kPlaces,
    .commands = kCommands,
    .made_up_only = true,
};

}  // namespace jw::made_up
