#include "kernel/record/witness.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>

#include "platform/crypto/api.hpp"

namespace jw::record {
namespace {

namespace fs = std::filesystem;

bool write_durably(const fs::path& path, std::string_view text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return false;
  bool whole = true;
  while (whole && !text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    whole = count > 0;
    if (whole) text.remove_prefix(static_cast<size_t>(count));
  }
  whole = whole && ::fsync(file) == 0;
  return ::close(file) == 0 && whole;
}

void sync_folder(const fs::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  ::fsync(file);  // not every network file system can; the file itself is durable
  ::close(file);
}

// Gives the file its name unless the name is taken: 0, or the error number.
int rename_without_replacing(const fs::path& from, const fs::path& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return 0;
  if (errno == EEXIST) return EEXIST;
  if (::link(from.c_str(), to.c_str()) == 0) {  // file systems without that flag
    ::unlink(from.c_str());
    return 0;
  }
  return errno;
}

std::optional<std::string> read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), {});
  if (!file.good() && !file.eof()) return std::nullopt;
  return text;
}

bool is_number(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Witness::Outcome Witness::keep(const Checkpoint& checkpoint) const {
  const fs::path path = folder_ / std::to_string(checkpoint.size);
  std::error_code error;
  if (!fs::exists(path, error)) {
    const fs::path unfinished = folder_ / ("." + std::to_string(checkpoint.size) + "." + crypto::random_code(8));
    const bool written = write_durably(unfinished, checkpoint.text);
    const int problem = written ? rename_without_replacing(unfinished, path) : EIO;
    if (problem != 0) ::unlink(unfinished.c_str());
    if (problem == 0) sync_folder(folder_);
    if (problem == 0) return Outcome::kept;
    if (problem != EEXIST) return Outcome::unreachable;
  }
  const std::optional<std::string> text = read_text(path);
  if (!text) return Outcome::unreachable;
  const std::optional<Note> note = Note::parse(*text);
  return note && note->size == checkpoint.size && note->root == checkpoint.root ? Outcome::kept : Outcome::fork;
}

std::optional<Note> Witness::newest() const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder_, error), end; !error && it != end; it.increment(error)) {
    if (is_number(it->path().filename().string())) names.push_back(it->path().filename().string());
  }
  const auto larger = [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a > b;
  };
  std::sort(names.begin(), names.end(), larger);
  for (const std::string& name : names) {
    const std::optional<std::string> text = read_text(folder_ / name);
    if (std::optional<Note> note = text ? Note::parse(*text) : std::nullopt) return note;
  }
  return std::nullopt;
}

}  // namespace jw::record
