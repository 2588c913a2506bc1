#include "kernel/record/key_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "kernel/record/api.hpp"
#include "platform/crypto/api.hpp"

namespace jw::record {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSeed = 32;

struct File {
  explicit File(int opened) : number(opened) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (number >= 0) ::close(number);
  }
  int number;
};

std::runtime_error fault(const std::string& file, const std::string& zh, const std::string& en) {
  return std::runtime_error("签名密钥文件（--key-file）" + file + "：" + zh +
                            " / the file of the signing key (--key-file) " + file + ": " + en);
}

struct Seeds {
  std::string record, steps;  // steps: empty when it follows from that of the record
};

Seeds read(const std::string& file) {
  const File opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (opened.number < 0) {
    throw fault(file, "读不到。没有它，这份记录不能再增加：请从备份取回，或以 --key-file 指明",
                "cannot be read. Without it this record cannot grow: bring it back from a backup, or name it with "
                "--key-file");
  }
  struct stat about {};
  if (::fstat(opened.number, &about) != 0 || (about.st_mode & 077U) != 0)
    throw fault(file, "他人可以访问：请执行 chmod 600", "others may open it: run chmod 600");
  std::string text(4 * kSeed + 4, '\0');
  const ssize_t size = ::read(opened.number, text.data(), text.size());
  text.resize(size < 0 ? 0 : static_cast<size_t>(size));
  while (text.ends_with('\n')) text.pop_back();
  const size_t line = text.find('\n');
  const auto seed = crypto::unhex(text.substr(0, line));
  const auto steps = line == std::string::npos ? std::string() : crypto::unhex(text.substr(line + 1));
  if (!seed || seed->size() != kSeed || !steps || (line != std::string::npos && steps->size() != kSeed))
    throw fault(file, "不是密钥文件", "is no key file");
  return {*seed, *steps};
}

// Whole, or not at all.
void write(const std::string& file, const Seeds& seeds) {
  std::error_code error;
  const std::string fresh = file + ".new";
  fs::remove(fresh, error);
  {
    const File made(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    const std::string text =
        crypto::hex(seeds.record) + "\n" + (seeds.steps.empty() ? "" : crypto::hex(seeds.steps) + "\n");
    const auto size = static_cast<ssize_t>(text.size());
    if (made.number < 0 || ::write(made.number, text.data(), text.size()) != size || ::fsync(made.number) != 0)
      throw fault(file, "无法写入", "cannot be written");
  }
  fs::rename(fresh, file, error);
  const fs::path folder = fs::path(file).has_parent_path() ? fs::path(file).parent_path() : fs::path(".");
  const File above(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (error || above.number < 0 || ::fsync(above.number) != 0) throw fault(file, "无法写入", "cannot be written");
}

}  // namespace

void make_key_file(const std::string& file, std::string_view seed) {
  if (file.empty()) throw fault("''", "没有给出", "is not named");
  std::error_code error;
  if (fs::path(file).has_parent_path()) fs::create_directories(fs::path(file).parent_path(), error);
  if (fs::exists(file, error)) {
    const std::string there = read_key_file(file);
    if (there == seed) return;
    const std::string name = crypto::hex(crypto::SigningKey::from_seed(there).public_key).substr(0, 16);
    fs::rename(file, file + "." + name, error);
    if (error) throw fault(file, "旧密钥无法移开", "the older key cannot be moved aside");
  }
  write(file, {std::string(seed), {}});
}

std::string read_key_file(const std::string& file) {
  return read(file).record;
}

std::string step_seed(const std::string& key_file) {
  const Seeds seeds = read(key_file);
  if (!seeds.steps.empty()) return seeds.steps;
  return std::string(crypto::bytes_of(crypto::hmac_sha256(seeds.record, "jiaowu steps of cases")));
}

void keep_step_seed(const std::string& key_file, std::string_view seed) {
  Seeds seeds = read(key_file);
  if (seeds.steps == seed) return;
  if (!seeds.steps.empty())
    throw fault(key_file, "已有另一把办件签名密钥", "holds another key of signed steps already");
  seeds.steps = seed;
  write(key_file, seeds);
}

std::runtime_error wrong_key_file(const std::string& file) {
  return fault(file, "不是这份记录的密钥", "holds another key than this record was made with");
}

}  // namespace jw::record
