#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "platform/http/api.hpp"
#include "tests/support/http_client.hpp"

namespace jw::http {
namespace {

using tests::Answer;
using tests::Client;

namespace fs = std::filesystem;

Response problem(const Refusal& refusal, int status, std::string_view) {
  return {.status = status, .body = refusal.type};
}

std::string gunzip(const std::string& packed) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

class StaticFilesTest : public ::testing::Test {
 protected:
  StaticFilesTest() : base_(fs::temp_directory_path() / ("jw_http_static_" + std::to_string(::getpid()))) {
    fs::remove_all(base_);
    put("web/index.html", "<title>教务</title>");
    put("web/assets/app-3f2a.js", script_);
    put("web/assets/logo-77.png", std::string(3000, 'p'));
    put("web/small.css", "a{}");
    put("web/.secret", "hidden");
    put("outside/passwd.txt", "outside");
    fs::create_symlink(base_ / "outside/passwd.txt", base_ / "web/leak.txt");
    fs::create_directory_symlink(base_ / "outside", base_ / "web/out");
    fs::create_symlink("small.css", base_ / "web/alias.css");
    server_ =
        Server::start({.port = 0, .workers = 1}, {}, static_files((base_ / "web").string(), problem), problem, {});
  }
  ~StaticFilesTest() override {
    server_.reset();
    fs::remove_all(base_);
  }
  void put(const std::string& name, const std::string& text) {
    fs::create_directories((base_ / name).parent_path());
    std::ofstream(base_ / name) << text;
  }
  Answer get(std::string_view target, const Client::Headers& headers = {}) {
    return Client("127.0.0.1", server_->port()).request("GET", target, {}, headers);
  }

  fs::path base_;
  std::string script_ = std::string(5000, 'j');
  std::unique_ptr<Server> server_;
};

TEST_F(StaticFilesTest, types_and_caching) {
  const Answer page = get("/"), script = get("/assets/app-3f2a.js"), style = get("/small.css");
  EXPECT_EQ(page.header("content-type"), "text/html; charset=utf-8");
  EXPECT_EQ(page.header("cache-control"), "no-cache");
  EXPECT_EQ(page.body, "<title>教务</title>");
  EXPECT_EQ(script.header("content-type"), "text/javascript; charset=utf-8");
  EXPECT_EQ(script.header("cache-control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(script.body, script_);
  EXPECT_EQ(style.header("cache-control"), "no-cache");
  EXPECT_EQ(get("/alias.css").body, "a{}");
}

TEST_F(StaticFilesTest, an_unknown_page_is_the_app_and_an_unknown_file_is_404) {
  for (const char* target : {"/grades", "/cases/17/edit", "/index.html", "/verify", "/apis"}) {
    EXPECT_EQ(get(target).body, "<title>教务</title>") << target;
  }
  for (const char* target : {"/nothing.js", "/assets/old-1.css", "/api", "/api/nothing", "/v/AB12", "/v"}) {
    EXPECT_EQ(get(target).status, 404) << target;
  }
  const Answer wrong = Client("127.0.0.1", server_->port()).request("POST", "/", "x");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "GET, HEAD");
}

TEST_F(StaticFilesTest, no_path_leads_out_of_the_folder) {
  for (const char* target :
       {"/../outside/passwd.txt", "/%2e%2e/outside/passwd.txt", "/assets/..%2f..%2foutside/passwd.txt",
        "/..%5coutside%5cpasswd.txt", "//etc/passwd.txt", "/leak.txt", "/out/passwd.txt", "/.secret",
        "/%2fetc%2fpasswd.txt", "/assets/%2e%2e/%2e%2e/outside/passwd.txt"}) {
    const Answer answer = get(target);
    EXPECT_EQ(answer.body.find("outside"), std::string::npos) << target;
    EXPECT_TRUE(answer.status == 400 || answer.status == 404) << target << ' ' << answer.status;
  }
}

TEST_F(StaticFilesTest, text_goes_packed_to_who_takes_it) {
  const Answer packed = get("/assets/app-3f2a.js", {{"Accept-Encoding", "br, gzip"}});
  EXPECT_EQ(packed.header("content-encoding"), "gzip");
  EXPECT_EQ(packed.header("vary"), "Accept-Encoding");
  EXPECT_EQ(gunzip(packed.body), script_);
  EXPECT_EQ(get("/assets/app-3f2a.js", {{"Accept-Encoding", "gzip;q=0"}}).header("content-encoding"), "");
  EXPECT_EQ(get("/assets/app-3f2a.js").header("vary"), "Accept-Encoding");
  EXPECT_EQ(get("/small.css", {{"Accept-Encoding", "gzip"}}).header("content-encoding"), "");
  EXPECT_EQ(get("/assets/logo-77.png", {{"Accept-Encoding", "gzip"}}).header("content-encoding"), "");
}

TEST_F(StaticFilesTest, a_known_tag_is_304) {
  const Answer plain = get("/assets/app-3f2a.js"), packed = get("/assets/app-3f2a.js", {{"Accept-Encoding", "gzip"}});
  const std::string tag(plain.header("etag"));
  EXPECT_NE(tag, packed.header("etag"));
  const Answer again = get("/assets/app-3f2a.js", {{"If-None-Match", "\"x\", W/" + tag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(again.header("etag"), tag);
  EXPECT_EQ(get("/assets/app-3f2a.js", {{"If-None-Match", "\"x\""}}).status, 200);
  EXPECT_EQ(get("/small.css", {{"If-None-Match", tag}}).status, 200);
}

TEST_F(StaticFilesTest, a_folder_without_a_page_is_refused_at_start) {
  EXPECT_THROW(static_files((base_ / "outside").string(), problem), std::runtime_error);
  EXPECT_THROW(static_files((base_ / "nowhere").string(), problem), std::runtime_error);
}

}  // namespace
}  // namespace jw::http
