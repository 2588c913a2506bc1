// Files of a case: letters as they were made, and what the applicant adds.
#include <algorithm>
#include <iterator>

#include "base/typed.hpp"
#include "kernel/case/file.hpp"
#include "kernel/paper/api.hpp"
#include "platform/crypto/api.hpp"

namespace jw::cases {

namespace {

constexpr size_t kNameMax = 200;  // characters

// What a file may be; it is known by its first bytes.
struct Media {
  std::string_view name, ending, begins;
};
constexpr Media kMedia[] = {{"application/pdf", ".pdf", "%PDF-"},
                            {"image/png", ".png", "\x89PNG\r\n\x1a\n"},
                            {"image/jpeg", ".jpg", "\xff\xd8\xff"}};

Refusal wrong(const char* field, Text text) {
  return {Code::unprocessable, "case.attachment_invalid", text, {{field, "invalid", text}}};
}

int64_t bytes_of(db::Connection& transaction, int64_t account) {
  db::Rows rows = transaction.query(
      "SELECT CAST(COALESCE(SUM(LENGTH(content)), 0) AS BIGINT) FROM case_attachment WHERE account = $1", {account});
  rows.next();
  return rows.integer(0);
}

}  // namespace

Refusal attachment_too_large() {
  const std::string most = std::to_string(static_cast<int64_t>(kAttachmentMax) / kMegabyte);
  const Text text{"附件不能超过 " + most + " MB", "a file has at most " + most + " MB"};
  return {Code::too_large, "case.attachment_too_large", text, {{"file", "too_large", text}}};
}

Result<std::optional<File>> letter_of(db::Connection& reader, std::string_view number, Instant now) {
  db::Rows rows = reader.query(
      "SELECT l.paper FROM case_letter l JOIN \"case\" c ON c.id = l.case_id WHERE c.number = $1 ORDER BY l.step DESC "
      "LIMIT 1",
      {number});
  if (!rows.next()) return std::optional<File>();
  const auto letter = paper::find(reader, rows.text(0), now);
  JW_TRY(std::string bytes, paper::bytes(reader, letter.value()));
  return std::optional(File{std::move(bytes), "letter-" + std::string(number) + ".pdf", "application/pdf"});
}

void note_letter_read(db::Store& store, std::string_view number, int64_t account, Instant now) {
  const db::Store::Lease writer = store.writer();
  db::Transaction transaction(*writer, db::Transaction::Mode::write);
  writer->execute(
      "UPDATE case_letter SET read_us = $3 WHERE read_us IS NULL AND case_id IN (SELECT c.id FROM \"case\" c WHERE "
      "c.number = $1 AND c.account = $2)",
      {number, account, now.us});
  transaction.commit();
}

std::optional<File> attachment_of(db::Connection& reader, std::string_view number, int64_t id) {
  db::Rows rows = reader.query(
      "SELECT a.content, a.media FROM case_attachment a JOIN \"case\" c ON c.id = a.case_id WHERE c.number = $1 AND "
      "a.id = $2",
      {number, id});
  if (!rows.next()) return std::nullopt;
  const auto* media =
      std::find_if(std::begin(kMedia), std::end(kMedia), [&](const Media& each) { return each.name == rows.text(1); });
  if (media == std::end(kMedia)) throw db::Error(db::Failure::corrupt, "an attachment is of no known kind");
  return File{std::string(rows.blob(0)),
              "attachment-" + std::string(number) + "-" + std::to_string(id) + std::string(media->ending), media->name};
}

Result<std::string> attach(db::Connection& transaction, std::string_view number, std::string_view name,
                           std::string_view bytes, int64_t account, int64_t bytes_most, Instant now) {
  const auto* media = std::find_if(std::begin(kMedia), std::end(kMedia),
                                   [&](const Media& each) { return bytes.starts_with(each.begins); });
  JW_TRY(const std::string named,
         typed_text(name, {.name = "name", .label = {"文件名", "the name of the file"}, .least = 1, .most = kNameMax}));
  if (media == std::end(kMedia))
    return wrong("file", {"只接受 PDF、PNG、JPEG 文件", "only PDF, PNG and JPEG files are taken"});
  int64_t id = 0, count = 0;
  {
    db::Rows rows = transaction.query(
        "SELECT c.id, (SELECT COUNT(*) FROM case_attachment a WHERE a.case_id = c.id) FROM \"case\" c WHERE c.number "
        "= $1 AND c.account = $2 AND c.closed IS NULL",
        {number, account});
    if (!rows.next()) {
      return Refusal{Code::forbidden,
                     "case.not_yours",
                     {"附件由申请人在办结前添加", "the applicant adds files while the case is open"}};
    }
    id = rows.integer(0);
    count = rows.integer(1);
  }
  if (count >= kAttachmentsMax) return wrong("file", {"附件最多 10 个", "at most 10 files"});
  if (bytes_of(transaction, account) + static_cast<int64_t>(bytes.size()) > bytes_most) {
    const std::string most = std::to_string(bytes_most / kMegabyte);
    return Refusal{Code::too_many,
                   "case.attachments_full",
                   {"您的附件总量已到 " + most + " MB，请先作废不用的草稿（其附件随之删除）",
                    "your attachments have reached " + most +
                        " MB: discard drafts that you do not need, their files go with them"}};
  }
  std::string sha256 = crypto::hex(crypto::sha256(bytes));
  transaction.execute(
      "INSERT INTO case_attachment (id, case_id, name, media, sha256, content, account, added_us) VALUES ($1, $2, $3, "
      "$4, $5, $6, $7, $8)",
      {next_id(transaction, "case_attachment"), id, named, media->name, sha256, db::Param::blob(bytes), account,
       now.us});
  return sha256;
}

}  // namespace jw::cases
