#include "kernel/record/leaf.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "platform/crypto/api.hpp"

namespace jw::record {
namespace {

Entry full_entry() {
  Entry entry;
  entry.time = {1'763'881'200'123'456};
  entry.kind = "query";
  entry.account = 17;
  entry.person = 4711;
  entry.beneficiary = 300;
  entry.session = std::numeric_limits<int64_t>::max();
  entry.post = "teacher,class_adviser";
  entry.unit = "计算机学院";
  entry.dataset = "grade";
  entry.action = "query";
  entry.purpose = "teaching_administration";
  entry.decision = "allowed";
  entry.basis = "§2.2.1,grant:2026-0017";
  entry.policy_version = 128;
  entry.plan = crypto::hex(crypto::sha256("plan"));
  entry.parameters = R"({"dataset":"grade","where":{"field":"student_name","op":"eq","value":"张三"}})";
  entry.rows = 50;
  entry.digest = crypto::sha256("answer");
  entry.subjects = {{Subject::Kind::person, 9, 1}, {Subject::Kind::group, 1'000'000, 42}};
  entry.intent = 0;
  return entry;
}

void expect_equal(const Entry& a, const Entry& b) {
  EXPECT_EQ(a.time, b.time);
  const auto numbers = [](const Entry& e) {
    return std::vector<int64_t>{e.account, e.person, e.beneficiary, e.session, e.policy_version, e.rows};
  };
  const auto texts = [](const Entry& e) {
    return std::vector<std::string>{e.kind,    e.post,     e.unit,  e.dataset, e.action,
                                    e.purpose, e.decision, e.basis, e.plan,    e.parameters};
  };
  EXPECT_EQ(numbers(a), numbers(b));
  EXPECT_EQ(texts(a), texts(b));
  EXPECT_EQ(a.digest, b.digest);
  EXPECT_EQ(a.intent, b.intent);
  ASSERT_EQ(a.subjects.size(), b.subjects.size());
  for (size_t i = 0; i < a.subjects.size(); ++i) {
    EXPECT_EQ(a.subjects[i].kind, b.subjects[i].kind);
    EXPECT_EQ(a.subjects[i].id, b.subjects[i].id);
    EXPECT_EQ(a.subjects[i].count, b.subjects[i].count);
  }
}

TEST(LeafTest, ComesBackAsItWas) {
  for (const Entry& entry : {full_entry(), Entry{}}) {
    LeafBytes leaf = encode(entry);
    place_leaf(leaf.header, 123'456'789, {987'654'321});
    const auto view = LeafView::read(leaf.header, leaf.body);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->seq, 123'456'789U);
    EXPECT_EQ(view->recorded.us, 987'654'321);
    EXPECT_EQ(hash_of(view->body_digest), salted_digest(leaf.salt, leaf.body));
    EXPECT_FALSE(view->wrote_rows());
    const auto back = decode(leaf.header, leaf.body);
    ASSERT_TRUE(back);
    expect_equal(*back, entry);
    const auto without_body = decode(leaf.header, "");
    ASSERT_TRUE(without_body);
    EXPECT_TRUE(without_body->subjects.empty());
    EXPECT_EQ(without_body->account, 0);
    EXPECT_EQ(without_body->kind, entry.kind);
    EXPECT_EQ(without_body->post, entry.post);
    place_rows(leaf.header, crypto::sha256("rows"));
    EXPECT_TRUE(LeafView::read(leaf.header, {})->wrote_rows());
    EXPECT_EQ(hash_of(LeafView::read(leaf.header, {})->rows_digest), crypto::sha256("rows"));
  }
}

// Leaves already in a tree must read the same for ever.
TEST(LeafTest, BytesOfVersion2) {
  Entry entry;
  entry.time = {0x0102030405060708};
  entry.kind = "act";
  entry.account = 300;
  entry.rows = -1;
  entry.intent = 5;
  entry.plan = "p";
  entry.unit = "u";
  entry.parameters = "{}";
  entry.subjects = {{Subject::Kind::group, 200, 3}};
  LeafBytes leaf = encode(entry);
  place_leaf(leaf.header, 0x1112131415161718, {0x2122232425262728});
  EXPECT_EQ(crypto::hex(leaf.body), "02" + std::string(64, '0') +
                                        "ac02"
                                        "00"
                                        "00"
                                        "00"
                                        "00"
                                        "ffffffffffffffffff01"
                                        "06"
                                        "00"
                                        "00"
                                        "00"
                                        "00"
                                        "00"
                                        "0170"
                                        "01"
                                        "01c80103"
                                        "7b7d");
  EXPECT_EQ(leaf.salt.size(), 16U);
  EXPECT_EQ(crypto::hex(leaf.header),
            "02"
            "1112131415161718"
            "2122232425262728"
            "0102030405060708" +
                crypto::hex(crypto::sha256(leaf.salt + leaf.body)) + std::string(64, '0') +
                "03616374"
                "00"
                "0175");
}

TEST(LeafTest, Version1IsStillRead) {
  const std::string header = crypto::unhex(
                                 "01"
                                 "1112131415161718"
                                 "2122232425262728"
                                 "0102030405060708" +
                                 std::string(64, 'b') + std::string(64, 'a') +
                                 "ac02"
                                 "00"
                                 "00"
                                 "00"
                                 "00"
                                 "ffffffffffffffffff01"
                                 "06"
                                 "03616374"
                                 "00"
                                 "00"
                                 "00"
                                 "00"
                                 "00"
                                 "00"
                                 "00"
                                 "0170")
                                 .value();
  const std::string body = crypto::unhex(
                               "0101"
                               "01c80103"
                               "7b7d")
                               .value();
  const auto entry = decode(header, body);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->account, 300);
  EXPECT_EQ(entry->rows, -1);
  EXPECT_EQ(entry->kind, "act");
  EXPECT_EQ(entry->plan, "p");
  EXPECT_EQ(entry->intent, 5U);
  EXPECT_EQ(crypto::hex(entry->digest), std::string(64, 'a'));
  EXPECT_EQ(entry->parameters, "{}");
  ASSERT_EQ(entry->subjects.size(), 1U);
  EXPECT_EQ(entry->subjects[0].id, 200);
  EXPECT_FALSE(LeafView::read(header, body)->wrote_rows());
}

TEST(LeafTest, SaltMakesEqualEntriesDifferent) {
  EXPECT_NE(encode(full_entry()).header, encode(full_entry()).header);
}

TEST(LeafTest, CutOrExtendedHeadersAreRefused) {
  const std::string header = encode(full_entry()).header;
  for (size_t i = 0; i < header.size(); ++i) ASSERT_FALSE(LeafView::read(header.substr(0, i), {})) << i;
  EXPECT_FALSE(LeafView::read(header + '\0', {}));
  std::string other_version = header;
  other_version[0] = 3;
  EXPECT_FALSE(LeafView::read(other_version, {}));
  std::string long_form = encode(Entry{}).header;
  long_form.replace(89, 1, std::string("\x80\x00", 2));
  EXPECT_FALSE(LeafView::read(long_form, {})) << "0 in two bytes";
}

TEST(LeafTest, AnyBytesAreReadOrRefusedButNeverReadBeyond) {
  std::mt19937_64 random(7);
  const LeafBytes leaf = encode(full_entry());
  for (int i = 0; i < 20'000; ++i) {
    std::string header = leaf.header;
    std::string body = leaf.body;
    for (int k = 0; k < 3; ++k) {
      header[random() % header.size()] = static_cast<char>(random());
      body[random() % body.size()] = static_cast<char>(random());
    }
    body.resize(random() % (body.size() + 1));
    (void)decode(header, body);
  }
  const std::string empty = encode(Entry{}).body;
  const auto subjects = [&](const std::string& bytes) { return empty.substr(0, empty.size() - 1) + bytes; };
  EXPECT_FALSE(decode(leaf.header, "\x01" + empty.substr(1))) << "version of a body";
  EXPECT_TRUE(decode(leaf.header, subjects(std::string("\x01\x01\x01\x01", 4))));
  EXPECT_FALSE(decode(leaf.header, subjects(std::string("\x01\x02\x01\x01", 4)))) << "kind of a subject";
  EXPECT_FALSE(decode(leaf.header, subjects("\xff\xff\xff\xff\x7f"))) << "more subjects than may be";
}

TEST(LeafTest, TextsThatAreNotUtf8AreKeptAsHex) {
  Entry entry;
  entry.dataset = "\xff\xfe";
  entry.purpose = std::string("a\0b", 3);
  entry.parameters = "\xff any bytes";
  const LeafBytes leaf = encode(entry);
  const auto back = decode(leaf.header, leaf.body);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->dataset, "not-utf8:fffe");
  EXPECT_EQ(back->purpose, "not-utf8:610062");
  EXPECT_EQ(back->parameters, entry.parameters);
}

TEST(LeafTest, OneLeafNamesSoManySubjectsAndNoMore) {
  Entry entry;
  entry.subjects.resize(kSubjectsMax);
  EXPECT_NO_THROW(encode(entry));
  entry.subjects.resize(kSubjectsMax + 1);
  EXPECT_THROW(encode(entry), std::invalid_argument);
}

}  // namespace
}  // namespace jw::record
