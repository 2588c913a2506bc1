#include "kernel/edge/description.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include <fstream>

namespace jw::edge {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class DescriptionTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(home_);
    put("app/api.json", R"({"schemas":{"Problem":{"type":"object"},"Thing":{"type":"string"},"Pdf":
        {"type":"string","contentMediaType":"application/pdf"}}})");
  }
  void TearDown() override { fs::remove_all(home_); }
  void put(const std::string& file, const std::string& text) {
    fs::create_directories((home_ / file).parent_path());
    std::ofstream(home_ / file) << text;
  }
  std::string mistakes() const {
    try {
      read_schemas(home_);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }

  const fs::path home_ = fs::path(testing::TempDir()) / ("description" + std::to_string(getpid()));
};

void nothing(const Call&) {}

const Route kRow{.verb = Verb::post,
                 .path = "/api/things/{kind}",
                 .needs = Needs::session(),
                 .run = nothing,
                 .summary = {"新建", "make one"},
                 .request = "Thing",
                 .response = "Pdf"};

TEST_F(DescriptionTest, is_made_from_rows_and_files) {
  put("modules/lost/api.json", R"({"schemas":{"Card":{"type":"object","required":["thing"],"properties":{
      "thing":{"$ref":"#/components/schemas/Thing"}}},"CardQuestion":{"type":"object","required":["day"],
      "properties":{"day":{"type":"string"},"page":{"type":"integer"}}}}})");
  const Route asked{.verb = Verb::get,
                    .path = "/api/cards",
                    .needs = Needs::open("a test"),
                    .run = nothing,
                    .summary = {"卡", "cards"},
                    .parameters = "CardQuestion",
                    .response = "Card"};
  const boost::json::object schemas = read_schemas(home_);
  const std::string text = openapi({&kRow, &asked}, schemas);
  EXPECT_EQ(text, openapi({&asked, &kRow}, schemas));
  const boost::json::value made = boost::json::parse(text);
  const auto at = [&](const char* pointer) { return boost::json::serialize(made.at_pointer(pointer)); };
  EXPECT_EQ(at("/paths/~1api~1things~1{kind}/post/operationId"), R"("post_api_things_by_kind")");
  EXPECT_EQ(at("/paths/~1api~1things~1{kind}/post/requestBody/content/application~1json/schema/$ref"),
            R"("#/components/schemas/Thing")");
  EXPECT_EQ(at("/paths/~1api~1things~1{kind}/post/responses/200/content/application~1pdf/schema/$ref"),
            R"("#/components/schemas/Pdf")");
  EXPECT_EQ(at("/paths/~1api~1things~1{kind}/post/security"), R"([{"bearer":[]},{"session":[],"csrf":[]}])");
  EXPECT_EQ(at("/paths/~1api~1cards/get/parameters"),
            R"([{"name":"day","in":"query","required":true,"schema":{"type":"string"}},)"
            R"({"name":"page","in":"query","required":false,"schema":{"type":"integer"}}])");
  EXPECT_EQ(at("/paths/~1api~1cards/get/security"), "[]");
  EXPECT_FALSE(made.at_pointer("/components/schemas").as_object().contains("CardQuestion"));
}

TEST_F(DescriptionTest, a_row_that_names_no_schema_is_found) {
  Route wrong = kRow;
  for (std::string_view Route::*member : {&Route::parameters, &Route::request, &Route::response}) {
    wrong = kRow;
    wrong.*member = "Absent";
    EXPECT_THROW(openapi({&wrong}, read_schemas(home_)), std::logic_error);
  }
}

TEST_F(DescriptionTest, mistakes_of_the_files_are_told_together) {
  EXPECT_EQ(mistakes(), "");
  put("modules/lost/api.json", R"({"schemas":{"Thing":{},"Card":{"required":["owner"],"properties":{"thing":{"items":
      {"$ref":"#/components/schemas/Absent"}}}}}})");
  put("modules/other/api.json", R"({"schema":{}})");
  const std::string told = mistakes();
  EXPECT_THAT(told, HasSubstr("modules/lost/api.json: 另有同名的 / is in another file, too: Thing"));
  EXPECT_THAT(told, HasSubstr("modules/lost/api.json: Card: 必有而未说明 / is required and not described: \"owner\""));
  EXPECT_THAT(told, HasSubstr("modules/lost/api.json: Card: 没有 / there is no #/components/schemas/Absent"));
  EXPECT_THAT(told, HasSubstr("modules/other/api.json: 应为"));
}

}  // namespace
}  // namespace jw::edge
