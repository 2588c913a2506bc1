#include <iostream>
#include "tests/differential/generate.hpp"
namespace jw::differential {
namespace {
TEST(Differential, C2_1_rows_and_cells) {
  const char* text = std::getenv("JIAOWU_DIFFERENTIAL_CASES");
  const char* seedt = std::getenv("JIAOWU_DIFFERENTIAL_SEED");
  int64_t cases = text ? std::stoll(text) : 2000;
  uint64_t seed = seedt ? std::stoull(seedt) : 1;
  Dice dice(seed);
  int64_t done = 0, wrong = 0;
  const auto begin = std::chrono::steady_clock::now();
  std::map<int, std::unique_ptr<Side>> sides;
  while (done < cases && wrong < 5) {
    const uint64_t s = dice.seed();
    Dice d(s);
    Case one;
    one.variant = static_cast<int>(d.below(kCatalogues));
    auto& side = sides[one.variant];
    if (!side) side = std::make_unique<Side>(db::Dialect::sqlite, one.variant);
    one.now_us = kNow;
    one.defaults = any_defaults(d, one.catalogue());
    one.grants = any_grants(d, one.catalogue(), one.now_us);
    side->at(kNow);
    one.world = any_world(d, one.catalogue());
    side->put(one);
    std::vector<Case> questions;
    for (int q = 0; q < 24; ++q) {
      any_question(d, one);
      questions.push_back(one);
    }
    for (int w = 0; w < 6 && wrong < 5; ++w) {
      World world = any_world(d, one.catalogue());
      side->put_world(world);
      for (Case& q : questions) {
        q.world = world;
        if (w > 0) other_values(d, q);
        ++done;
        const auto bad = compare_with_reference(side->engine(), q);
        if (bad) {
          ++wrong;
          auto sql = side->engine().statement_text(q.asker(), q.request);
          std::cerr << "SEED " << s << " form " << int(q.form) << " account " << q.account << "\n"
                    << boost::json::serialize(q.request) << "\n"
                    << *bad << "\n"
                    << (sql ? *sql : sql.refusal().type) << "\n"
                    << print(q.catalogue(), q.world);
          for (auto& g : q.grants)
            if (g.account == q.account || g.account == 0)
              std::cerr << g.number << (g.effect == policy::Effect::forbid ? " forbid " : " permit ") << g.dataset
                        << " " << g.content << " " << g.post << " " << g.unit << " " << g.from.us - kNow << " "
                        << g.until.us - kNow << "\n";
          ADD_FAILURE();
          break;
        }
      }
    }
  }
  const double s = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::cout << done << " cases in " << s << " s, " << static_cast<double>(done) / s << "/s\n";
}
}  // namespace
}  // namespace jw::differential
int main(int argc, char** argv) {
  if (std::filesystem::is_directory("/dev/shm")) setenv("TMPDIR", "/dev/shm", 0);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
