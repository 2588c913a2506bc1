#include "kernel/record/note.hpp"

#include <algorithm>
#include <charconv>

#include "base/text.hpp"

namespace jw::record {
namespace {

constexpr char kEd25519 = '\x01';
constexpr std::string_view kDash = "\xe2\x80\x94 ";  // em dash and space
constexpr size_t kSignatureLinesMax = 100;

std::string key_id(std::string_view name, std::string_view public_key) {
  std::string bytes(name);
  bytes += '\n';
  bytes += kEd25519;
  bytes += public_key;
  return std::string(crypto::bytes_of(crypto::sha256(bytes)).substr(0, 4));
}

// Cuts the next line, without its line feed; nullopt when there is none that ends.
std::optional<std::string_view> next_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

// Decimal without sign or leading zeros.
std::optional<uint64_t> parse_size(std::string_view text) {
  uint64_t size = 0;
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return size;
}

std::optional<Note::Signature> parse_signature(std::string_view line) {
  if (!line.starts_with(kDash)) return std::nullopt;
  line.remove_prefix(kDash.size());
  const size_t space = line.find(' ');
  if (space == std::string_view::npos || !is_origin(line.substr(0, space))) return std::nullopt;
  const std::optional<std::string> bytes = crypto::unbase64(line.substr(space + 1));
  if (!bytes || bytes->size() < 5) return std::nullopt;
  return Note::Signature{std::string(line.substr(0, space)), bytes->substr(0, 4), bytes->substr(4)};
}

}  // namespace

bool is_origin(std::string_view name) {
  const auto is_bad = [](unsigned char c) { return c <= 0x20 || c == 0x7f || c == '+'; };
  return !name.empty() && is_valid_utf8(name) && std::none_of(name.begin(), name.end(), is_bad) &&
         name.find("\xc2\x85") == std::string_view::npos && name.find("\xc2\xa0") == std::string_view::npos &&
         name.find("\xe2\x80") == std::string_view::npos && name.find("\xe3\x80\x80") == std::string_view::npos;
}

std::optional<VerifierKey> VerifierKey::parse(std::string_view text) {
  const size_t first = text.find('+');
  if (first == std::string_view::npos) return std::nullopt;
  const size_t second = text.find('+', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  VerifierKey key;
  key.name = text.substr(0, first);
  const std::optional<std::string> bytes = crypto::unbase64(text.substr(second + 1));
  if (!is_origin(key.name) || !bytes || bytes->size() != 33 || bytes->front() != kEd25519) return std::nullopt;
  key.public_key = bytes->substr(1);
  if (text.substr(first + 1, second - first - 1) != crypto::hex(key.id())) return std::nullopt;
  return key;
}

std::string VerifierKey::print() const {
  return name + "+" + crypto::hex(id()) + "+" + crypto::base64(std::string(1, kEd25519) + public_key);
}

std::string VerifierKey::id() const {
  return key_id(name, public_key);
}

std::optional<Note> Note::parse(std::string_view text) {
  const size_t blank = text.find("\n\n");
  if (blank == std::string_view::npos) return std::nullopt;
  Note note;
  note.signed_text = text.substr(0, blank + 1);
  std::string_view rest = note.signed_text;
  const auto origin = next_line(rest);
  const auto size = next_line(rest);
  const auto root = next_line(rest);
  if (!origin || origin->empty() || !size || !root) return std::nullopt;
  const std::optional<uint64_t> number = parse_size(*size);
  const std::optional<std::string> root_bytes = crypto::unbase64(*root);
  const std::optional<Hash> hash = root_bytes ? hash_of(*root_bytes) : std::nullopt;
  if (!number || !hash) return std::nullopt;
  note.origin = *origin;
  note.size = *number;
  note.root = *hash;
  rest = text.substr(blank + 2);
  while (!rest.empty()) {
    const auto line = next_line(rest);
    if (!line || note.signatures.size() == kSignatureLinesMax) return std::nullopt;
    std::optional<Signature> signature = parse_signature(*line);
    if (!signature) return std::nullopt;
    note.signatures.push_back(std::move(*signature));
  }
  if (note.signatures.empty()) return std::nullopt;
  return note;
}

bool Note::signed_by(const VerifierKey& key) const {
  if (origin != key.name) return false;
  const std::string id = key.id();
  return std::any_of(signatures.begin(), signatures.end(), [&](const Signature& s) {
    return s.name == key.name && s.key_id == id && crypto::verify_signature(key.public_key, signed_text, s.bytes);
  });
}

std::string sign_checkpoint(const crypto::SigningKey& key, std::string_view origin, uint64_t size, const Hash& root) {
  std::string text(origin);
  text += '\n';
  text += std::to_string(size);
  text += '\n';
  text += crypto::base64(bytes_of(root));
  text += '\n';
  const std::string signature = key_id(origin, key.public_key) + key.sign(text);
  text += '\n';
  text += kDash;
  text += origin;
  text += ' ';
  text += crypto::base64(signature);
  text += '\n';
  return text;
}

}  // namespace jw::record
