#include "kernel/record/leaf.hpp"

#include <stdexcept>

#include "base/text.hpp"
#include "kernel/record/bytes.hpp"
#include "platform/crypto/api.hpp"

namespace jw::record {
namespace {

constexpr char kVersion = 2;
constexpr size_t kFixed = 89;
constexpr size_t kRowsAt = 57;
constexpr size_t kHash = 32;

void put_fixed(char* at, uint64_t value) {
  for (int i = 7; i >= 0; --i, value >>= 8U) at[i] = static_cast<char>(value & 0xffU);
}

uint64_t get_fixed(const char* at) {
  uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8U | static_cast<unsigned char>(at[i]);
  return value;
}

// They are text columns too, and PostgreSQL refuses what is not UTF-8: one strange request must not make the whole
// batch fail. Nothing is lost.
void put_told(std::string& out, std::string_view text) {
  is_valid_utf8(text) ? put_text(out, text) : put_text(out, "not-utf8:" + crypto::hex(text));
}

std::string encode_body(const Entry& entry) {
  if (entry.subjects.size() > kSubjectsMax) throw std::invalid_argument("too many subjects in one entry of the record");
  std::string body;
  body.reserve(160 + entry.subjects.size() * 6 + entry.parameters.size());
  body += kVersion;
  body += bytes_of(entry.digest);
  for (const int64_t number :
       {entry.account, entry.person, entry.beneficiary, entry.session, entry.policy_version, entry.rows}) {
    put_number(body, static_cast<uint64_t>(number));
  }
  put_number(body, entry.intent ? *entry.intent + 1 : 0);
  for (const std::string* text :
       {&entry.dataset, &entry.action, &entry.purpose, &entry.decision, &entry.basis, &entry.plan}) {
    put_told(body, *text);
  }
  put_number(body, entry.subjects.size());
  for (const Subject& subject : entry.subjects) {
    body += static_cast<char>(subject.kind);
    put_number(body, static_cast<uint64_t>(subject.id));
    put_number(body, static_cast<uint64_t>(subject.count));
  }
  body += entry.parameters;
  return body;
}

bool get_numbers(std::string_view& in, LeafView& view) {
  for (int64_t* number :
       {&view.account, &view.person, &view.beneficiary, &view.session, &view.policy_version, &view.rows}) {
    if (!get_number(in, *number)) return false;
  }
  return get_number(in, view.intent);
}

bool get_texts(std::string_view& in, std::initializer_list<std::string_view*> texts) {
  for (std::string_view* text : texts) {
    if (!get_text(in, *text)) return false;
  }
  return true;
}

bool read_body(std::string_view body, LeafView& view) {
  if (body.empty()) return true;
  view.has_body = true;
  if (static_cast<unsigned char>(body[0]) != view.version) return false;
  body.remove_prefix(1);
  if (view.version != 1) {
    if (body.size() < kHash) return false;
    view.digest = body.substr(0, kHash);
    body.remove_prefix(kHash);
    if (!get_numbers(body, view) ||
        !get_texts(body, {&view.dataset, &view.action, &view.purpose, &view.decision, &view.basis, &view.plan})) {
      return false;
    }
  }
  view.subjects = SubjectReader(body);
  return true;
}

}  // namespace

Hash salted_digest(std::string_view salt, std::string_view bytes) {
  thread_local std::string all;
  all.assign(salt).append(bytes);
  return crypto::sha256(all);
}

LeafBytes encode(const Entry& entry) {
  LeafBytes leaf;
  leaf.body = encode_body(entry);
  leaf.salt = crypto::random_bytes(kSaltSize);
  std::string& header = leaf.header;
  header.reserve(kFixed + 8 + entry.kind.size() + entry.post.size() + entry.unit.size());
  header.resize(25);
  header[0] = kVersion;
  put_fixed(header.data() + 17, static_cast<uint64_t>(entry.time.us));
  header += bytes_of(salted_digest(leaf.salt, leaf.body));
  header.append(kHash, '\0');
  for (const std::string* text : {&entry.kind, &entry.post, &entry.unit}) put_told(header, *text);
  return leaf;
}

void place_leaf(std::string& header, uint64_t seq, Instant recorded) {
  put_fixed(header.data() + 1, seq);
  put_fixed(header.data() + 9, static_cast<uint64_t>(recorded.us));
}

void place_rows(std::string& header, const Hash& digest) {
  header.replace(kRowsAt, kHash, bytes_of(digest));
}

bool LeafView::wrote_rows() const {
  return version != 1 && rows_digest.find_first_not_of('\0') != std::string_view::npos;
}

std::optional<LeafView> LeafView::read(std::string_view header, std::string_view body) {
  if (header.size() < kFixed || (header[0] != 1 && header[0] != kVersion)) return std::nullopt;
  LeafView view;
  view.version = static_cast<unsigned>(header[0]);
  view.seq = get_fixed(header.data() + 1);
  view.recorded.us = static_cast<int64_t>(get_fixed(header.data() + 9));
  view.time.us = static_cast<int64_t>(get_fixed(header.data() + 17));
  view.body_digest = header.substr(25, kHash);
  (view.version == 1 ? view.digest : view.rows_digest) = header.substr(kRowsAt, kHash);
  header.remove_prefix(kFixed);
  if (view.version == 1 && !get_numbers(header, view)) return std::nullopt;
  if (!get_texts(header, {&view.kind, &view.post, &view.unit})) return std::nullopt;
  if (view.version == 1 &&
      !get_texts(header, {&view.dataset, &view.action, &view.purpose, &view.decision, &view.basis, &view.plan})) {
    return std::nullopt;
  }
  if (!header.empty() || !read_body(body, view)) return std::nullopt;
  return view;
}

SubjectReader::SubjectReader(std::string_view bytes) : rest_(bytes) {
  whole_ = get_number(rest_, left_) && left_ <= kSubjectsMax;
  if (!whole_) left_ = 0;
}

std::optional<Subject> SubjectReader::next() {
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
  std::optional<LeafView> view = LeafView::read(header, body);
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
  if (!view->digest.empty()) entry.digest = hash_of(view->digest).value();
  if (view->intent > 0) entry.intent = view->intent - 1;
  if (!view->has_body) return entry;
  while (const std::optional<Subject> subject = view->subjects.next()) entry.subjects.push_back(*subject);
  if (!view->subjects.whole()) return std::nullopt;
  entry.parameters = view->subjects.parameters();
  return entry;
}

}  // namespace jw::record
