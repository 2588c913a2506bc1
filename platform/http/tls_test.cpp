#include "platform/http/tls.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "platform/http/api.hpp"
#include "tests/support/http_client.hpp"

namespace jw::http {
namespace {

using tests::Answer;
using tests::Client;

using std::chrono::milliseconds;

Response problem(const Refusal& refusal, int status, std::string_view) {
  return {.status = status, .body = refusal.type};
}

void add_extension(X509* certificate, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
  ASSERT_NE(extension, nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// A self-signed certificate for the given address, valid for an hour, on P-256.
void make_certificate(const std::string& certificate_file, const std::string& key_file, const std::string& address) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  add_extension(certificate, NID_subject_alt_name, ("IP:" + address).c_str());
  add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  ASSERT_NE(X509_sign(certificate, key, EVP_sha256()), 0);
  FILE* out = std::fopen(certificate_file.c_str(), "w");
  PEM_write_X509(out, certificate);
  std::fclose(out);
  out = std::fopen(key_file.c_str(), "w");
  PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(out);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    folder_ = std::filesystem::temp_directory_path() / ("jw_http_tls_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
    make_certificate(file("a.pem"), file("a.key"), "127.0.0.1");
    options_.port = 0;
    options_.workers = 1;
    options_.certificate_file = file("a.pem");
    options_.key_file = file("a.key");
    options_.request_deadline = milliseconds(300);
  }
  ~TlsTest() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::string file(const char* name) const { return (folder_ / name).string(); }
  void serve() {
    std::vector<Route> routes;
    routes.push_back(
        {.verb = Verb::post,
         .path = "/echo",
         .handler = [](Request request,
                       Respond respond) { respond({.body = (request.secure ? "secure " : "plain ") + request.body}); },
         .body_max = 4 << 20});
    routes.push_back({.verb = Verb::get,
                      .path = "/file",
                      .handler = [this](Request, Respond respond) { respond({.file = file("content")}); }});
    server_ = Server::start(options_, routes, {}, problem, {});
  }
  Client client(const char* authority = "a.pem") {
    return Client("127.0.0.1", server_->port(),
                  {.timeout = milliseconds(3000), .tls = true, .authority_file = file(authority)});
  }

  std::filesystem::path folder_;
  Options options_;
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, requests_small_and_large_over_one_connection) {
  serve();
  Client one = client();
  EXPECT_EQ(one.request("POST", "/echo", "hello").body, "secure hello");
  const std::string large(3 << 20, 'x');
  EXPECT_EQ(one.request("POST", "/echo", large).body, "secure " + large);
  one.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: "
      "1\r\n\r\n2");
  EXPECT_EQ(one.read().body, "secure 1");
  EXPECT_EQ(one.read().body, "secure 2");
}

TEST_F(TlsTest, a_file_is_streamed) {
  std::string content(300'000, 'f');
  for (size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>('a' + i % 19);
  std::ofstream(file("content")) << content;
  serve();
  Client one = client();
  EXPECT_EQ(one.request("GET", "/file").body, content);
  EXPECT_EQ(one.request("POST", "/echo", "on").body, "secure on");
}

TEST_F(TlsTest, a_refused_body_still_gets_its_413) {
  serve();
  Client one = client();
  one.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n" + std::string(100'000, 'x'));
  EXPECT_EQ(one.read().status, 413);
}

TEST_F(TlsTest, who_does_not_speak_tls_or_is_silent_is_cut) {
  serve();
  Client plain("127.0.0.1", server_->port(), {.timeout = milliseconds(3000)});
  plain.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_THROW(plain.read(), std::runtime_error);
  Client silent("127.0.0.1", server_->port(), {.timeout = milliseconds(3000)});
  EXPECT_TRUE(silent.is_closed());
}

TEST_F(TlsTest, the_client_refuses_a_certificate_it_does_not_trust_or_of_another) {
  make_certificate(file("b.pem"), file("b.key"), "127.0.0.2");
  serve();
  EXPECT_THROW(client("b.pem"), std::runtime_error);
  options_.certificate_file = file("b.pem");
  options_.key_file = file("b.key");
  serve();
  EXPECT_THROW(client("b.pem"), std::runtime_error);  // trusted, but for 127.0.0.2
}

TEST_F(TlsTest, nothing_older_than_tls_12_is_spoken) {
  serve();
  const TlsContext context = client_tls(file("a.pem"));
  EXPECT_EQ(SSL_CTX_get_min_proto_version(context.get()), TLS1_2_VERSION);
  EXPECT_EQ(SSL_CTX_get_min_proto_version(server_tls(file("a.pem"), file("a.key")).get()), TLS1_2_VERSION);
}

TEST_F(TlsTest, a_new_certificate_is_used_from_the_next_connection_on) {
  serve();
  Client before = client();
  make_certificate(file("a.pem"), file("a.key"), "127.0.0.1");
  EXPECT_THROW(client(), std::runtime_error);  // the server still shows the old one
  server_->reload_certificate();
  EXPECT_EQ(client().request("POST", "/echo", "new").body, "secure new");
  EXPECT_EQ(before.request("POST", "/echo", "old").body, "secure old");
  std::ofstream(file("a.key")) << "not a key";
  EXPECT_THROW(server_->reload_certificate(), std::runtime_error);
  EXPECT_EQ(client().request("POST", "/echo", "kept").body, "secure kept");
}

TEST_F(TlsTest, a_bad_certificate_is_said_at_start) {
  options_.certificate_file = file("missing.pem");
  EXPECT_THROW(serve(), std::runtime_error);
  options_.certificate_file = "";
  EXPECT_THROW(serve(), std::runtime_error);
}

}  // namespace
}  // namespace jw::http
