// Checkpoints outside the store: a folder, best on another machine, with one file a checkpoint, named by its size.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "kernel/record/api.hpp"
#include "kernel/record/note.hpp"

namespace jw::record {

class Witness {
 public:
  explicit Witness(std::filesystem::path folder) : folder_(std::move(folder)) {}

  enum class Outcome {
    kept,         // written now, or there already
    fork,         // there is another checkpoint of this size with another root: left as it is
    unreachable,  // could not be written: try again
  };
  Outcome keep(const Checkpoint& checkpoint) const;  // durable and whole before the file has its name
  std::optional<Note> newest() const;                // the readable checkpoint with the most leaves

 private:
  std::filesystem::path folder_;
};

}  // namespace jw::record
