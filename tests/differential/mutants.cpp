// The differential test is worth what it notices: every fault seeded in the copy of kernel/policy, kernel/query and
// kernel/change that is compiled for this program (base/fault.hpp) has to be found.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <regex>
#include <set>

#include "base/fault.hpp"
#include "tests/differential/trial.hpp"

namespace jw::differential {
namespace {

// Those after this number take minutes to be found: with the other long tests (`./dev check`), or from a number on.
constexpr int kQuick = 67;
constexpr int64_t kCases = 400'000;  // a fault that needs more to be seen is not guarded against

// Where each fault stands.
std::map<int, std::string> seeded_faults() {
  std::map<int, std::string> faults;
  for (const char* folder : {"/kernel/policy", "/kernel/query", "/kernel/change"}) {
    for (const auto& entry : std::filesystem::directory_iterator(std::string(JW_SOURCE_DIR) + folder)) {
      std::ifstream in(entry.path());
      const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
      const std::regex seeded("JW_FAULT\\(\\s*(\\d+)");
      for (auto at = std::sregex_iterator(text.begin(), text.end(), seeded); at != std::sregex_iterator(); ++at)
        faults[std::stoi((*at)[1])] = entry.path().filename().string();
    }
  }
  return faults;
}

// What is told of permissions is asked of by three of the checks alone.
std::set<std::string> checks_of(const std::string& file) {
  if (file == "known.cpp" || file == "effect.cpp" || file == "sight.cpp")
    return {"effects", "sight", "hidden from effects and sight"};
  return {};
}

TEST(Mutants, every_seeded_fault_is_found) {
  const std::map<int, std::string> faults = seeded_faults();
  ASSERT_GE(faults.size(), 15u);
  ASSERT_EQ(faults.rbegin()->first, static_cast<int>(faults.size()))
      << "faults are numbered from 1 on, each number once";
  const char* from = std::getenv("JIAOWU_DIFFERENTIAL_FAULT");
  const bool is_long = std::getenv("JW_LONG") != nullptr;
  std::string survived;
  for (const auto& [fault, file] : faults) {
    if (from != nullptr && fault < std::stoi(from)) continue;
    if (from == nullptr && !is_long && fault > kQuick) continue;
    fault_on = fault;
    Trial trial;
    trial.seed = 1;
    trial.cases = kCases;
    trial.shrinks = false;
    trial.only = checks_of(file);
    if (const char* only = std::getenv("JIAOWU_DIFFERENTIAL_CHECK")) trial.only = {only};  // what one alone finds
    const Result result = run(trial);
    const std::string by = result.failure.substr(0, result.failure.find('\n'));
    std::cout << "fault " << fault << ": " << (by.empty() ? "not found" : by) << " after " << result.cases << " cases"
              << "\n"
              << std::flush;
    if (by.empty()) survived += " " + std::to_string(fault);
  }
  fault_on = 0;
  EXPECT_EQ(survived, "") << "faults that nothing noticed";
}

}  // namespace
}  // namespace jw::differential

int main(int argc, char** argv) {
  if (std::filesystem::is_directory("/dev/shm")) setenv("TMPDIR", "/dev/shm", 0);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
