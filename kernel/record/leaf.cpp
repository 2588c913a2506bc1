#include "kernel/record/leaf.hpp"

#include <stdexcept>

#include "base/text.hpp"
#include "platform/crypto/api.hpp"

namespace jw::record {
namespace {

constexpr char kVersion = 1;
constexpr size_t kFixed = 89;

void put_fixed(char* at, uint64_t value) {
  for (int i = 7; i >= 0; --i, value >>= 8U) at[i] = static_cast<char>(value & 0xffU);
}

uint64_t get_fixed(const char* at) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8U | static_cast<unsigned char>(at[i]);
  return value;
}

void put_number(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>((value & 0x7fU) | 0x80U);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}

bool get_number(std::string_view& in, uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < in.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(in[i]);
    if (i == 9 && byte > 1) return false;  // over 64 bits
    value |= static_cast<uint64_t>(byte & 0x7fU) << (7 * i);
    if ((byte & 0x80U) != 0) continue;
    if (byte == 0 && i > 0) return false;  // not the shortest form
    in.remove_prefix(i + 1);
    return true;
  }
  return false;
}

bool get_number(std::string_view& in, int64_t& value) {
  uint64_t bits = 0;
  if (!get_number(in, bits)) return false;
  value = static_cast<int64_t>(bits);
  return true;
}

void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size());
  out += text;
}

bool get_text(std::string_view& in, std::string_view& text) {
  uint64_t size = 0;
  if (!get_number(in, size) || size > in.size()) return false;
  text = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

std::string encode_body(const Entry& entry) {
  if (entry.subjects.size() > kSubjectsMax) throw std::invalid_argument("too many subjects in one entry of the record");
  std::string body;
  body.reserve(2 + entry.subjects.size() * 6 + entry.parameters.size());
  body += kVersion;
  put_number(body, entry.subjects.size());
  for (const Subject& subject : entry.subjects) {
    body += static_cast<char>(subject.kind);
    put_number(body, static_cast<uint64_t>(subject.id));
    put_number(body, static_cast<uint64_t>(subject.count));
  }
  body += entry.parameters;
  return body;
}

}  // namespace

Hash body_digest(std::string_view salt, std::string_view body) {
  thread_local std::string bytes;
  bytes.assign(salt).append(body);
  return crypto::sha256(bytes);
}

LeafBytes encode(const Entry& entry) {
  LeafBytes leaf;
  leaf.body = encode_body(entry);
  leaf.salt = crypto::random_bytes(kSaltSize);
  std::string& header = leaf.header;
  header.reserve(kFixed + 64 + entry.kind.size() + entry.post.size() + entry.unit.size() + entry.dataset.size() +
                 entry.action.size() + entry.purpose.size() + entry.decision.size() + entry.basis.size() +
                 entry.plan.size());
  header.resize(25);
  header[0] = kVersion;
  put_fixed(header.data() + 17, static_cast<uint64_t>(entry.time.us));
  header += bytes_of(body_digest(leaf.salt, leaf.body));
  header += bytes_of(entry.digest);
  for (const int64_t number :
       {entry.account, entry.person, entry.beneficiary, entry.session, entry.policy_version, entry.rows}) {
    put_number(header, static_cast<uint64_t>(number));
  }
  put_number(header, entry.intent ? *entry.intent + 1 : 0);
  for (const std::string* text : {&entry.kind, &entry.post, &entry.unit, &entry.dataset, &entry.action, &entry.purpose,
                                  &entry.decision, &entry.basis, &entry.plan}) {
    // They are text columns too, and PostgreSQL refuses what is not UTF-8: one strange request must not make the whole
    // batch fail. Nothing is lost.
    if (is_valid_utf8(*text)) {
      put_text(header, *text);
    } else {
      put_text(header, "not-utf8:" + crypto::hex(*text));
    }
  }
  return leaf;
}

void place_leaf(std::string& header, uint64_t seq, Instant recorded) {
  put_fixed(header.data() + 1, seq);
  put_fixed(header.data() + 9, static_cast<uint64_t>(recorded.us));
}

std::optional<HeaderView> HeaderView::read(std::string_view header) {
  if (header.size() < kFixed || header[0] != kVersion) return std::nullopt;
  HeaderView view;
  view.seq = get_fixed(header.data() + 1);
  view.recorded.us = static_cast<int64_t>(get_fixed(header.data() + 9));
  view.time.us = static_cast<int64_t>(get_fixed(header.data() + 17));
  view.body_digest = header.substr(25, 32);
  view.digest = header.substr(57, 32);
  header.remove_prefix(kFixed);
  for (int64_t* number :
       {&view.account, &view.person, &view.beneficiary, &view.session, &view.policy_version, &view.rows}) {
    if (!get_number(header, *number)) return std::nullopt;
  }
  if (!get_number(header, view.intent)) return std::nullopt;
  for (std::string_view* text : {&view.kind, &view.post, &view.unit, &view.dataset, &view.action, &view.purpose,
                                 &view.decision, &view.basis, &view.plan}) {
    if (!get_text(header, *text)) return std::nullopt;
  }
  if (!header.empty()) return std::nullopt;
  return view;
}

BodyReader::BodyReader(std::string_view body) : rest_(body) {
  if (rest_.empty() || rest_[0] != kVersion) return;
  rest_.remove_prefix(1);
  whole_ = get_number(rest_, left_) && left_ <= kSubjectsMax;
  if (!whole_) left_ = 0;
}

std::optional<Subject> BodyReader::next() {
  if (left_ == 0) return std::nullopt;
  Subject subject;
  const bool has_kind = !rest_.empty() && static_cast<unsigned char>(rest_[0]) <= 1;
  if (has_kind) {
    subject.kind = static_cast<Subject::Kind>(rest_[0]);
    rest_.remove_prefix(1);
  }
  if (!has_kind || !get_number(rest_, subject.id) || !get_number(rest_, subject.count)) {
    whole_ = false;
    left_ = 0;
    return std::nullopt;
  }
  --left_;
  return subject;
}

std::optional<Entry> decode(std::string_view header, std::string_view body) {
  const std::optional<HeaderView> view = HeaderView::read(header);
  if (!view) return std::nullopt;
  Entry entry;
  entry.time = view->time;
  entry.kind = view->kind;
  entry.account = view->account;
  entry.person = view->person;
  entry.beneficiary = view->beneficiary;
  entry.session = view->session;
  entry.post = view->post;
  entry.unit = view->unit;
  entry.dataset = view->dataset;
  entry.action = view->action;
  entry.purpose = view->purpose;
  entry.decision = view->decision;
  entry.basis = view->basis;
  entry.policy_version = view->policy_version;
  entry.plan = view->plan;
  entry.rows = view->rows;
  entry.digest = hash_of(view->digest).value();
  if (view->intent > 0) entry.intent = view->intent - 1;
  if (body.empty()) return entry;
  BodyReader reader(body);
  while (const std::optional<Subject> subject = reader.next()) entry.subjects.push_back(*subject);
  if (!reader.whole()) return std::nullopt;
  entry.parameters = reader.parameters();
  return entry;
}

}  // namespace jw::record
