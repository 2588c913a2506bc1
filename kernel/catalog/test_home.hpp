// For this folder's tests: files of a catalogue in a folder of their own, gone with the object.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernel/catalog/api.hpp"

namespace jw::catalog {

using Files = std::map<std::string, std::string>;

inline std::filesystem::path fresh_folder() {
  static std::atomic<int> count = 0;
  const auto folder = std::filesystem::temp_directory_path() /
                      ("jw_catalog_" + std::to_string(::getpid()) + "_" + std::to_string(count++));
  std::filesystem::create_directories(folder);
  return folder;
}

class Home {
 public:
  explicit Home(const Files& files) : path_(fresh_folder()) {
    std::filesystem::create_directories(path_ / "catalog" / "codes");
    std::filesystem::create_directories(path_ / "db" / "migrations");
    for (const auto& [name, text] : files) std::ofstream(path_ / name) << text;
  }
  ~Home() { std::filesystem::remove_all(path_); }
  Home(const Home&) = delete;
  Home& operator=(const Home&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline std::string printed(const std::vector<FileProblem>& problems) {
  std::string out;
  for (const FileProblem& problem : problems) out += problem.print() + "\n";
  return out;
}

inline Catalogue loaded(const Files& files) {
  const Home home(files);
  auto result = load(home.path());
  if (auto* problems = std::get_if<std::vector<FileProblem>>(&result)) throw std::runtime_error(printed(*problems));
  return std::get<Catalogue>(std::move(result));
}

}  // namespace jw::catalog
