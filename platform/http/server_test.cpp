#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <thread>

#include "platform/http/api.hpp"
#include "platform/http/metrics.hpp"
#include "tests/support/http_client.hpp"

namespace jw::http {
namespace {

using tests::Answer;
using tests::Client;

using std::chrono::milliseconds;

Response problem(const Refusal& refusal, int status, std::string_view id) {
  return {.status = status, .body = refusal.type + ' ' + std::string(id), .content_type = "application/problem+json"};
}

Route route(Verb verb, std::string_view path, Handler handler, bool blocking = true, size_t body_max = 1 << 20) {
  return {.verb = verb, .path = path, .handler = std::move(handler), .body_max = body_max, .blocking = blocking};
}

void echo(Request request, Respond respond) {
  std::string said = request.path + '|' + request.query;
  for (const std::string& capture : request.captures) said += '|' + capture;
  respond({.body = said + '|' + request.body, .content_type = "text/plain"});
}

std::vector<Route> echo_routes() {
  std::vector<Route> routes;
  routes.push_back(route(Verb::get, "/echo", echo));
  routes.push_back(route(Verb::get, "/quick/{a}/{b}", echo, false));
  routes.push_back(route(Verb::post, "/echo", echo, true, 1000));
  routes.push_back(route(Verb::put, "/echo", echo, false, 1 << 20));
  return routes;
}

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    options_.port = 0;
    options_.workers = 2;
    options_.headers = {{"X-Content-Type-Options", "nosniff"}, {"Cache-Control", "no-store"}};
  }
  void serve(std::vector<Route> routes, Handler otherwise = {}) {
    server_ = Server::start(options_, std::move(routes), std::move(otherwise), problem,
                            [this](const Server::Finished& finished) {
                              const std::lock_guard lock(mutex_);
                              statuses_.push_back(finished.status);
                            });
  }
  Client client() { return Client("127.0.0.1", server_->port(), {.timeout = milliseconds(3000)}); }
  Answer raw(std::string_view bytes) {
    Client one = client();
    one.send(bytes);
    return one.read();
  }
  // Status and type of the problem, and that the connection ends.
  void expect_refused(std::string_view bytes, int status, std::string_view type) {
    Client one = client();
    one.send(bytes);
    const Answer answer = one.read();
    const std::string_view shown = bytes.substr(0, 60);
    EXPECT_EQ(answer.status, status) << shown;
    EXPECT_EQ(std::string_view(answer.body).substr(0, type.size() + 1), std::string(type) + ' ') << shown;
    EXPECT_EQ(answer.header("connection"), "close") << shown;
    one.finish_sending();
    EXPECT_TRUE(one.is_closed()) << shown;
  }

  Options options_;
  std::mutex mutex_;
  std::vector<int> statuses_;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, keeps_a_connection_for_many_requests) {
  serve(echo_routes());
  Client one = client();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(one.request("GET", "/echo?i=" + std::to_string(i)).body, "/echo|i=" + std::to_string(i) + "|");
    EXPECT_EQ(one.request("GET", "/quick/a/b").body, "/quick/a/b||a|b|");
  }
}

TEST_F(ServerTest, every_response_has_the_security_headers_and_an_id) {
  serve(echo_routes());
  Client one = client();
  const Answer first = one.request("GET", "/echo"), second = one.request("GET", "/nothing");
  for (const Answer* answer : {&first, &second}) {
    EXPECT_EQ(answer->header("x-content-type-options"), "nosniff");
    EXPECT_EQ(answer->header("x-request-id").size(), 13U);
    EXPECT_EQ(answer->header("date").substr(3, 2), ", ");
    EXPECT_EQ(answer->header("date").substr(26), "GMT");
  }
  EXPECT_NE(first.header("x-request-id"), second.header("x-request-id"));
  EXPECT_EQ(second.body, "http.not_found " + std::string(second.header("x-request-id")));
}

TEST_F(ServerTest, a_header_of_the_response_replaces_the_fixed_one) {
  serve({route(Verb::get, "/kept", [](Request, Respond respond) {
    respond({.headers = {{"cache-control", "max-age=60"}}});
  })});
  int count = 0;
  const Answer answer = client().request("GET", "/kept");
  for (const auto& [name, value] : answer.headers) count += name == "cache-control" ? 1 : 0;
  EXPECT_EQ(count, 1);
  EXPECT_EQ(answer.header("cache-control"), "max-age=60");
}

TEST_F(ServerTest, pipelined_requests_are_answered_in_order) {
  serve(echo_routes());
  Client one = client();
  std::string bytes;
  for (int i = 0; i < 100; ++i) {
    const std::string n = std::to_string(i);
    if (i % 3 == 0) bytes += "GET /echo?" + n + " HTTP/1.1\r\nHost: a\r\n\r\n";
    if (i % 3 == 1) bytes += "GET /quick/x/" + n + " HTTP/1.1\r\nHost: a\r\n\r\n";
    if (i % 3 == 2)
      bytes += "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(n.size()) + "\r\n\r\n" + n;
  }
  one.send(bytes);
  for (int i = 0; i < 100; ++i) {
    const std::string n = std::to_string(i);
    const std::string expected = i % 3 == 0   ? "/echo|" + n + "|"
                                 : i % 3 == 1 ? "/quick/x/" + n + "||x|" + n + "|"
                                              : "/echo||" + n;
    ASSERT_EQ(one.read().body, expected);
  }
}

TEST_F(ServerTest, head_has_the_headers_of_get_and_no_body) {
  serve(echo_routes());
  Client one = client();
  const Answer answer = one.request("HEAD", "/echo");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-length"), "7");
  EXPECT_EQ(one.request("GET", "/echo").body, "/echo||");
}

TEST_F(ServerTest, wrong_verb_is_405_with_the_right_ones) {
  serve(echo_routes());
  Client one = client();
  const Answer answer = one.request("DELETE", "/echo");
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.header("allow"), "GET, HEAD, POST, PUT");
  EXPECT_EQ(one.request("TRACE", "/quick/1/2").status, 405);
  EXPECT_EQ(client().request("GET", "/quick/1").status, 404);
  EXPECT_EQ(client().request("BREW", "/coffee").status, 404);
}

TEST_F(ServerTest, a_body_over_the_routes_limit_is_413_by_length_and_by_chunks) {
  serve(echo_routes());
  expect_refused("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1001\r\n\r\n", 413, "http.body_too_large");
  expect_refused("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n", 413,
                 "http.body_too_large");
  expect_refused("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 413,
                 "http.body_too_large");
  expect_refused("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1f4\r\n" + std::string(500, 'x') +
                     "\r\n1f5\r\n",
                 413, "http.body_too_large");
  expect_refused("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", 413,
                 "http.body_too_large");
  EXPECT_EQ(client().request("POST", "/echo", std::string(1000, 'x')).body, "/echo||" + std::string(1000, 'x'));
}

TEST_F(ServerTest, a_handler_that_hears_of_it_answers_for_a_body_over_the_limit) {
  std::vector<Route> routes;
  routes.push_back({.verb = Verb::post,
                    .path = "/kept/{name}",
                    .handler =
                        [](const Request& request, const Respond& respond) {
                          respond({.status = request.body_too_large ? 413 : 200,
                                   .body = request.captures.at(0) + " " + std::to_string(request.body.size())});
                        },
                    .body_max = 1000,
                    .hears_of_too_large = true});
  serve(std::move(routes));
  EXPECT_EQ(client().request("POST", "/kept/a", std::string(1000, 'x')).body, "a 1000");
  for (const std::string& body :
       {"Content-Length: 1001\r\n\r\n" + std::string(1001, 'x'), std::string("Content-Length: 900000000\r\n\r\nx"),
        "Transfer-Encoding: chunked\r\n\r\n1f4\r\n" + std::string(500, 'x') + "\r\n1f5\r\n"}) {
    Client one = client();
    one.send("POST /kept/b HTTP/1.1\r\nHost: a\r\n" + body);
    const auto answer = one.read();
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(answer.body, "b 0");
    EXPECT_EQ(answer.header("connection"), "close");
  }
}

TEST_F(ServerTest, an_unread_large_body_does_not_take_the_413_away) {
  serve(echo_routes());
  Client one = client();
  one.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n");
  for (int i = 0; i < 30; ++i) one.send(std::string(10'000, 'x'));
  EXPECT_EQ(one.read().status, 413);
}

TEST_F(ServerTest, a_header_over_the_limit_is_431) {
  options_.header_max = 2048;
  serve(echo_routes());
  expect_refused("GET /echo?" + std::string(5000, 'q') + " HTTP/1.1\r\nHost: a\r\n\r\n", 431, "http.header_too_large");
  expect_refused("GET /echo HTTP/1.1\r\nHost: a\r\nX: " + std::string(5000, 'q') + "\r\n\r\n", 431,
                 "http.header_too_large");
  std::string many = "GET /echo HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 300; ++i) many += "X-" + std::to_string(i) + ": 1\r\n";
  expect_refused(many + "\r\n", 431, "http.header_too_large");
  std::string chunk = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;" + std::string(9000, 'e');
  expect_refused(chunk, 431, "http.header_too_large");
}

TEST_F(ServerTest, a_header_sent_in_pieces_counts_as_a_whole) {
  options_.header_max = 2048;
  serve(echo_routes());
  Client one = client();
  one.send("GET /echo HTTP/1.1\r\nHost: a\r\n");
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(milliseconds(2));
    try {
      one.send("X-" + std::to_string(i) + ": " + std::string(200, 'x') + "\r\n");
    } catch (const std::runtime_error&) {
      break;  // closed already
    }
  }
  EXPECT_EQ(one.read().status, 431);
}

TEST_F(ServerTest, smuggling_is_refused) {
  serve(echo_routes());
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\n";
  expect_refused(head + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400, "http.bad_length");
  expect_refused(head + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400, "http.bad_length");
  expect_refused(head + "Content-Length: 3, 3\r\n\r\nabc", 400, "http.bad_length");
  expect_refused(head + "Content-Length: +3\r\n\r\nabc", 400, "http.bad_length");
  expect_refused(head + "Content-Length: -3\r\n\r\nabc", 400, "http.bad_length");
  expect_refused(head + "Content-Length: 0x3\r\n\r\nabc", 400, "http.bad_length");
  expect_refused(head + "Content-Length: 99999999999999999999999\r\n\r\nabc", 400, "http.bad_length");
  expect_refused(head + "Content-Length:\r\n\r\nabc", 400, "http.bad_length");
  expect_refused(head + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "http.bad_length");
  expect_refused(head + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400, "http.bad_length");
  expect_refused(head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
                 "http.bad_length");
  expect_refused(head + "Transfer-Encoding: xchunked\r\n\r\nabc", 501, "http.transfer_coding");
  expect_refused(head + "Transfer-Encoding: chunked, identity\r\n\r\nabc", 501, "http.transfer_coding");
  expect_refused(head + "Transfer-Encoding: gzip, chunked\r\n\r\nabc", 501, "http.transfer_coding");
  expect_refused(head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, "http.malformed");
  expect_refused("POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "http.bad_length");
  expect_refused(head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n", 400, "http.malformed");
  expect_refused(head + "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", 400, "http.malformed");
}

TEST_F(ServerTest, what_is_not_http_is_400) {
  serve(echo_routes());
  expect_refused("HELLO\r\n\r\n", 400, "http.malformed");
  expect_refused("GET /echo\r\n\r\n", 400, "http.bad_target");
  expect_refused("GET /echo HTTP/2.0\r\nHost: a\r\n\r\n", 400, "http.malformed");
  expect_refused("GET /echo HTTP/1.1\nHost: a\n\n\r\n\r\n", 400, "http.malformed");
  expect_refused("GET /echo HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400, "http.malformed");
  expect_refused("GET /echo HTTP/1.1\r\nHost: a\r\nX: a\x01z\r\n\r\n", 400, "http.malformed");
  expect_refused(std::string_view("GET /echo HTTP/1.1\r\nHost: a\r\nX: a\0z\r\n\r\n", 38), 400, "http.malformed");
  expect_refused("GET /echo HTTP/1.1\r\n\r\n", 400, "http.bad_host");
  expect_refused("GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "http.bad_host");
  expect_refused("GET /echo HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\n\r\n", 417, "http.bad_expectation");
}

TEST_F(ServerTest, targets_have_one_plain_meaning) {
  serve(echo_routes(), echo);
  Client one = client();
  EXPECT_EQ(one.request("GET", "/quick/%E5%BC%A0/a%2Fb%20c?x=%41+b").body, "/quick/张/a/b c|x=%41+b|张|a/b c|");
  EXPECT_EQ(one.request("GET", "http://else.where:80/quick/1/2").body, "/quick/1/2||1|2|");
  EXPECT_EQ(one.request("GET", "/any...thing/.hidden").body, "/any...thing/.hidden||");
  EXPECT_EQ(one.request("GET", "/quick//b").body, "/quick//b||");  // an empty capture is no capture
  for (const char* target : {"/%",         "/%4",     "/%zz",   "/%00",        "/a%0d%0ab", "/%ff",        "/%c0%af",
                             "/%ed%a0%80", "/a/../b", "/..",    "/a/%2e%2e/b", "/a/.%2E",   "/a%2f..%2fb", "/./a",
                             "/a#b",       "/a?%zz",  "/a?%ff", "*",           "a",         "http://a"}) {
    expect_refused("GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n", 400, "http.bad_target");
  }
}

TEST_F(ServerTest, chunked_bodies_are_put_together_and_trailers_are_no_headers) {
  serve({route(Verb::post, "/echo", [](Request request, Respond respond) {
    respond({.body = request.body + '|' + std::string(request.header("x-late"))});
  })});
  Client one = client();
  one.send(
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n"
      "3;name=\"v\"\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX-Late: yes\r\n\r\nPOST /echo HTTP/1.1\r\nHost: "
      "a\r\nContent-Length: 1\r\n\r\nz");
  EXPECT_EQ(one.read().body, "abc0123456789|");
  EXPECT_EQ(one.read().body, "z|");
}

TEST_F(ServerTest, any_cut_of_the_bytes_gives_the_same_answer) {
  serve(echo_routes());
  const std::string bytes =
      "\r\nPOST /echo?a=b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    Client one = client();
    one.send(std::string_view(bytes).substr(0, cut));
    std::this_thread::sleep_for(milliseconds(1));
    one.send(std::string_view(bytes).substr(cut));
    ASSERT_EQ(one.read().body, "/echo|a=b|ab") << cut;
  }
  const std::string empty = "PUT /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  Client one = client();
  for (const char c : empty) {
    one.send(std::string(1, c));
    std::this_thread::sleep_for(std::chrono::microseconds(300));
  }
  EXPECT_EQ(one.read().body, "/echo||");
}

TEST_F(ServerTest, a_large_body_arrives_whole) {
  serve(echo_routes());
  std::string body(1 << 20, '?');
  for (size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
  Client one = client();
  EXPECT_EQ(one.request("PUT", "/echo", body).body, "/echo||" + body);
  EXPECT_EQ(one.request("GET", "/echo").status, 200);
}

TEST_F(ServerTest, expect_continue_is_told_to_go_on_unless_it_is_too_much) {
  serve(echo_routes());
  Client one = client();
  one.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(one.read().status, 100);
  one.send("abc");
  EXPECT_EQ(one.read().body, "/echo||abc");
  expect_refused("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\nExpect: 100-continue\r\n\r\n", 413,
                 "http.body_too_large");
}

TEST_F(ServerTest, a_slow_request_is_408_and_cut) {
  options_.request_deadline = milliseconds(150);
  serve(echo_routes());
  Client one = client();
  one.send("GET /echo HTTP/1.1\r\n");
  const auto start = std::chrono::steady_clock::now();
  std::atomic<bool> over = false;
  std::thread drip([&] {
    for (int i = 0; i < 200 && !over; ++i) {
      try {
        one.send("X-" + std::to_string(i) + ": 1\r\n");
      } catch (const std::runtime_error&) {
        return;
      }
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
  const Answer answer = one.read();
  over = true;
  drip.join();
  EXPECT_EQ(answer.status, 408);
  EXPECT_EQ(answer.body.substr(0, 13), "http.too_slow");
  EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(140));
  one.finish_sending();
  EXPECT_TRUE(one.is_closed());
}

TEST_F(ServerTest, a_slow_body_is_408_but_one_that_really_flows_has_longer) {
  options_.request_deadline = milliseconds(150);
  options_.rate_min = 1000;
  serve(echo_routes());
  Client slow = client(), steady = client();
  slow.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc");
  steady.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  for (int i = 0; i < 5; ++i) {
    steady.send(std::string(200, 'x'));
    std::this_thread::sleep_for(milliseconds(60));
  }
  EXPECT_EQ(slow.read().status, 408);
  EXPECT_EQ(steady.read().status, 200);
}

TEST_F(ServerTest, an_idle_connection_is_closed) {
  options_.idle_deadline = milliseconds(100);
  serve(echo_routes());
  Client fresh = client(), used = client();
  EXPECT_EQ(used.request("GET", "/echo").status, 200);
  EXPECT_TRUE(fresh.is_closed());
  EXPECT_TRUE(used.is_closed());
}

TEST_F(ServerTest, a_peer_that_takes_no_answer_is_cut) {
  options_.idle_deadline = milliseconds(150);
  options_.rate_min = 1 << 30;
  std::promise<void> answered;
  serve({route(Verb::get, "/much", [&](Request, Respond respond) {
    respond({.body = std::string(32 << 20, 'x')});
    answered.set_value();
  })});
  Client one = client();
  one.send("GET /much HTTP/1.1\r\nHost: a\r\n\r\n");
  answered.get_future().wait();
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_THROW(one.read(), std::runtime_error);  // cut off
}

TEST_F(ServerTest, a_large_answer_arrives_whole) {
  const std::string body(8 << 20, 'y');
  serve({route(Verb::get, "/much", [&](Request, Respond respond) { respond({.body = body}); })});
  Client one = client();
  EXPECT_EQ(one.request("GET", "/much").body, body);
  EXPECT_EQ(one.request("GET", "/much").body.size(), body.size());
}

TEST_F(ServerTest, connections_over_the_cap_are_turned_away) {
  options_.connections_max = 2;
  serve(echo_routes());
  {
    Client a = client(), b = client();
    EXPECT_EQ(a.request("GET", "/echo").status, 200);
    EXPECT_EQ(b.request("GET", "/echo").status, 200);
    Client c = client();
    const Answer answer = c.read();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.header("retry-after"), "5");
    EXPECT_TRUE(c.is_closed());
  }
  for (int tries = 0; tries < 100; ++tries) {  // the places are free again once the ends have been seen
    std::this_thread::sleep_for(milliseconds(10));
    try {
      if (client().request("GET", "/echo").status == 200) return;
    } catch (const std::runtime_error&) {
      continue;  // turned away before the request was sent
    }
  }
  FAIL() << "no place became free";
}

TEST_F(ServerTest, a_full_queue_is_503_with_retry_after) {
  options_.workers = 1;
  options_.queue_max = 1;
  std::promise<void> open;
  std::shared_future<void> opened = open.get_future().share();
  std::promise<void> entered;
  std::atomic<int> count = 0;
  serve({route(Verb::get, "/wait", [&](Request, Respond respond) {
    if (count++ == 0) entered.set_value();
    opened.wait();
    respond({});
  })});
  Client running = client(), waiting = client(), refused = client();
  running.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  entered.get_future().wait();
  waiting.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  std::this_thread::sleep_for(milliseconds(50));
  const Answer answer = refused.request("GET", "/wait");
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.body.starts_with("http.busy ")) << answer.body;
  EXPECT_EQ(answer.header("retry-after"), "1");
  open.set_value();
  EXPECT_EQ(running.read().status, 200);
  EXPECT_EQ(waiting.read().status, 200);
  EXPECT_EQ(refused.request("GET", "/wait").status, 200);  // the connection was kept
}

TEST_F(ServerTest, bodies_together_have_a_limit_and_are_let_go) {
  options_.bodies_max = 3000;
  serve(echo_routes());
  const auto eventually_holds = [&](size_t bytes) {
    for (int tries = 0; tries < 300 && server_->load().body_bytes != bytes; ++tries) {
      std::this_thread::sleep_for(milliseconds(5));
    }
    return server_->load().body_bytes == bytes;
  };
  Client holding = client();
  holding.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2001\r\n\r\n" + std::string(2000, 'x'));
  EXPECT_TRUE(eventually_holds(2000));
  EXPECT_EQ(client().request("PUT", "/echo", std::string(1500, 'y')).status, 503);
  EXPECT_EQ(client().request("PUT", "/echo", std::string(500, 'y')).status, 200);
  holding.send("x");
  EXPECT_EQ(holding.read().status, 200);
  EXPECT_EQ(client().request("PUT", "/echo", std::string(1500, 'y')).status, 200);
  {
    Client cut = client();
    cut.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n" + std::string(100, 'x'));
    EXPECT_TRUE(eventually_holds(100));
  }
  EXPECT_TRUE(eventually_holds(0));
}

TEST_F(ServerTest, load_tells_connections_and_queue) {
  options_.workers = 1;
  std::promise<void> open;
  std::shared_future<void> opened = open.get_future().share();
  serve({route(Verb::get, "/wait", [&](Request, Respond respond) {
    opened.wait();
    respond({});
  })});
  Client a = client(), b = client();
  a.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  b.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
  for (int tries = 0; tries < 300 && server_->load().queued != 1; ++tries) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(server_->load().queued, 1U);
  EXPECT_EQ(server_->load().connections, 2);
  open.set_value();
  EXPECT_EQ(a.read().status, 200);
  EXPECT_EQ(b.read().status, 200);
}

TEST_F(ServerTest, respond_may_come_from_any_thread_and_later) {
  std::vector<std::thread> threads;
  std::mutex mutex;
  const Handler later = [&](Request request, Respond respond) {
    const std::lock_guard lock(mutex);
    threads.emplace_back([body = request.query, respond] {
      std::this_thread::sleep_for(milliseconds(20));
      respond({.body = body});
    });
  };
  serve({route(Verb::get, "/later", later), route(Verb::get, "/inline", later, false)});
  Client one = client(), two = client();
  one.send("GET /later?1 HTTP/1.1\r\nHost: a\r\n\r\nGET /inline?2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(two.request("GET", "/inline?3").body, "3");
  EXPECT_EQ(one.read().body, "1");
  EXPECT_EQ(one.read().body, "2");
  for (std::thread& thread : threads) thread.join();
}

TEST_F(ServerTest, a_respond_never_called_is_500) {
  serve({route(Verb::get, "/worker", [](Request, Respond) {}),
         route(
             Verb::get, "/inline", [](Request, Respond) {}, false)});
  Client one = client();
  for (const char* path : {"/worker", "/inline"}) {
    const Answer answer = one.request("GET", path);
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body, "http.internal " + std::string(answer.header("x-request-id")));
  }
}

TEST_F(ServerTest, a_second_respond_is_ignored) {
  const Handler twice = [](Request, Respond respond) {
    respond({.body = "first"});
    respond({.body = "second"});
  };
  serve({route(Verb::get, "/worker", twice), route(Verb::get, "/inline", twice, false)});
  Client one = client();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(one.request("GET", "/worker").body, "first");
    EXPECT_EQ(one.request("GET", "/inline").body, "first");
  }
}

TEST_F(ServerTest, an_exception_is_500_and_the_connection_lives) {
  const Handler bad = [](Request, Respond) { throw std::runtime_error("secret /path and SELECT"); };
  serve({route(Verb::get, "/worker", bad), route(Verb::get, "/inline", bad, false),
         route(Verb::get, "/odd", [](Request, Respond) { throw 7; })});
  Client one = client();
  for (const char* path : {"/worker", "/inline", "/odd"}) {
    const Answer answer = one.request("GET", path);
    EXPECT_EQ(answer.status, 500);
    EXPECT_EQ(answer.body.find("secret"), std::string::npos);
  }
}

TEST_F(ServerTest, nothing_from_a_handler_can_split_a_response) {
  const auto with = [](std::string name, std::string value) {
    return [name, value](Request, Respond respond) { respond({.headers = {{name, value}}}); };
  };
  serve({route(Verb::get, "/1", with("X-A", "a\r\nSet-Cookie: b")), route(Verb::get, "/2", with("X-A\r\nB", "a")),
         route(Verb::get, "/3", with("X-A", std::string("a\0b", 3))),
         route(Verb::get, "/4", with("Content-Length", "3")),
         route(Verb::get, "/5", with("Transfer-Encoding", "chunked")), route(Verb::get, "/6", with("X-A", "ok 好"))});
  Client one = client();
  for (const char* path : {"/1", "/2", "/3", "/4", "/5"}) {
    const Answer answer = one.request("GET", path);
    EXPECT_EQ(answer.status, 500) << path;
    EXPECT_EQ(answer.header("set-cookie"), "");
  }
  EXPECT_EQ(one.request("GET", "/6").header("x-a"), "ok 好");
}

TEST_F(ServerTest, no_content_has_no_length_and_the_connection_goes_on) {
  serve({route(Verb::del, "/a", [](Request, Respond respond) { respond({.status = 204}); })});
  Client one = client();
  for (int i = 0; i < 3; ++i) {
    const Answer answer = one.request("DELETE", "/a");
    EXPECT_EQ(answer.status, 204);
    EXPECT_EQ(answer.header("content-length"), "");
  }
}

TEST_F(ServerTest, http_10_is_answered_and_closed) {
  serve(echo_routes());
  Client one = client();
  one.send("GET /echo HTTP/1.0\r\n\r\n");
  EXPECT_EQ(one.read().body, "/echo||");
  EXPECT_TRUE(one.is_closed());
}

TEST_F(ServerTest, connection_close_is_obeyed) {
  serve(echo_routes());
  Client one = client();
  const Answer answer = one.request("GET", "/echo", {}, {{"Connection", "close"}});
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(one.is_closed());
}

TEST_F(ServerTest, cookies_and_parameters_are_read) {
  serve({route(Verb::get, "/a", [](Request request, Respond respond) {
    respond({.body = std::string(request.cookie("b")) + '|' + request.parameter("x").value_or("none") + '|' +
                     request.parameter("y z").value_or("none") + '|' + request.parameter("e").value_or("none")});
  })});
  const Client::Headers cookies{{"Cookie", "bb=0; a=1;b=\"2\"; b=3"}};
  EXPECT_EQ(client().request("GET", "/a?x=%E5%BC%A0+1&x=2&y%20z=3&e", {}, cookies).body, "2|张 1|3|");
  EXPECT_EQ(client().request("GET", "/a").body, "|none|none|none");
}

TEST_F(ServerTest, the_address_comes_from_trusted_proxies_only) {
  options_.trusted_proxies = {"127.0.0.0/8", "10.1.2.3"};
  const std::vector<Route> routes{route(Verb::get, "/a", [](Request request, Respond respond) {
    respond({.body = request.remote + (request.secure ? " secure" : "")});
  })};
  serve(routes);
  const auto with = [&](const std::string& hops) {
    return client().request("GET", "/a", {}, {{"X-Forwarded-For", hops}, {"X-Forwarded-Proto", "https"}}).body;
  };
  EXPECT_EQ(with("6.6.6.6, 5.5.5.5"), "5.5.5.5 secure");
  EXPECT_EQ(with("6.6.6.6, 5.5.5.5, 10.1.2.3"), "5.5.5.5 secure");
  EXPECT_EQ(with("2001:db8::1"), "2001:db8::1 secure");
  EXPECT_EQ(with("not an address"), "127.0.0.1 secure");
  options_.trusted_proxies = {"10.0.0.0/8"};
  serve(routes);
  EXPECT_EQ(with("5.5.5.5"), "127.0.0.1");
  options_.trusted_proxies = {"10.0.0.0/33"};
  EXPECT_THROW(serve(routes), std::runtime_error);
}

TEST_F(ServerTest, headers_of_tls_follow_what_the_client_used) {
  options_.trusted_proxies = {"127.0.0.1"};
  options_.secure_headers = {{"Strict-Transport-Security", "max-age=1"}};
  serve({route(Verb::get, "/a", [](Request, Respond respond) { respond({}); })});
  const auto sent = [&](const Client::Headers& headers) {
    const Answer answer = client().request("GET", "/a", {}, headers);
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff");
    return std::string(answer.header("strict-transport-security"));
  };
  EXPECT_EQ(sent({{"X-Forwarded-Proto", "https"}}), "max-age=1");
  EXPECT_EQ(sent({{"X-Forwarded-Proto", "http"}}), "");
  EXPECT_EQ(sent({}), "");
  Client one = client();  // the next request of the same connection may be another client's
  EXPECT_EQ(one.request("GET", "/a", {}, {{"X-Forwarded-Proto", "https"}}).header("strict-transport-security"),
            "max-age=1");
  EXPECT_EQ(one.request("GET", "/a").header("strict-transport-security"), "");
  options_.trusted_proxies = {"10.0.0.0/8"};
  serve({route(Verb::get, "/a", [](Request, Respond respond) { respond({}); })});
  EXPECT_EQ(sent({{"X-Forwarded-Proto", "https"}}), "") << "the word of anybody else is not taken";
}

class FileTest : public ServerTest {
 protected:
  FileTest() {
    path_ = (std::filesystem::temp_directory_path() / ("jw_http_file_" + std::to_string(::getpid()))).string();
    std::ofstream(path_) << content_;
  }
  ~FileTest() override {
    server_.reset();  // its handlers know path_
    std::filesystem::remove(path_);
  }
  std::string path_, content_ = std::string(3 << 20, 'f') + "end";
};

TEST_F(FileTest, a_file_is_streamed_and_kept) {
  serve({route(Verb::get, "/f",
               [this](Request, Respond respond) { respond({.content_type = "text/csv", .file = path_}); })});
  Client one = client();
  EXPECT_EQ(one.request("GET", "/f").body, content_);
  const Answer head = one.request("HEAD", "/f");
  EXPECT_EQ(head.header("content-length"), std::to_string(content_.size()));
  EXPECT_EQ(one.request("GET", "/f").body.size(), content_.size());
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(FileTest, a_temporary_file_is_removed_however_it_ends) {
  serve({route(Verb::get, "/f",
               [this](Request, Respond respond) { respond({.file = path_, .file_is_temporary = true}); })});
  EXPECT_EQ(client().request("GET", "/f").body, content_);
  EXPECT_FALSE(std::filesystem::exists(path_));
  EXPECT_EQ(client().request("GET", "/f").status, 500);  // it is gone
  {
    std::ofstream(path_) << content_;
    Client one = client();
    one.send("GET /f HTTP/1.1\r\nHost: a\r\n\r\n");
  }  // gone before the answer
  for (int tries = 0; tries < 100 && std::filesystem::exists(path_); ++tries)
    std::this_thread::sleep_for(milliseconds(5));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(ServerTest, stop_lets_a_running_request_finish_and_closes_idle_ones) {
  std::promise<void> entered;
  serve({route(Verb::get, "/slow", [&](Request, Respond respond) {
    entered.set_value();
    std::this_thread::sleep_for(milliseconds(150));
    respond({.body = "done"});
  })});
  Client running = client(), idle = client();
  EXPECT_EQ(idle.request("GET", "/nothing").status, 404);
  running.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
  entered.get_future().wait();
  const uint16_t port = server_->port();
  std::thread stopper([&] { server_->stop(milliseconds(3000)); });
  const Answer answer = running.read();
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.header("connection"), "close");
  EXPECT_TRUE(idle.is_closed());
  stopper.join();
  EXPECT_THROW(Client("127.0.0.1", port), std::runtime_error);
}

TEST_F(ServerTest, stop_waits_no_longer_than_its_patience) {
  Respond kept;
  std::promise<void> entered;
  serve({route(Verb::get, "/never", [&](Request, Respond respond) {
    kept = std::move(respond);
    entered.set_value();
  })});
  Client one = client();
  one.send("GET /never HTTP/1.1\r\nHost: a\r\n\r\n");
  entered.get_future().wait();
  const auto start = std::chrono::steady_clock::now();
  server_->stop(milliseconds(100));
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds(2000));
  EXPECT_THROW(one.read(), std::runtime_error);
  server_.reset();
  kept({.body = "too late"});  // after the server has gone: nothing happens
}

TEST_F(ServerTest, a_port_in_use_and_bad_options_are_said_at_start) {
  serve(echo_routes());
  Options again = options_;
  again.port = server_->port();
  EXPECT_THROW(Server::start(again, echo_routes(), {}, problem, {}), std::runtime_error);
  again = options_;
  again.host = "localhost.invalid";
  EXPECT_THROW(Server::start(again, echo_routes(), {}, problem, {}), std::runtime_error);
  again = options_;
  again.headers = {{"X", "a\r\nb"}};
  EXPECT_THROW(Server::start(again, echo_routes(), {}, problem, {}), std::runtime_error);
  EXPECT_THROW(Server::start(options_, {route(Verb::get, "/a", {})}, {}, problem, {}), std::runtime_error);
  EXPECT_THROW(Server::start(options_, echo_routes(), {}, {}, {}), std::runtime_error);
}

TEST_F(ServerTest, a_failing_problem_writer_still_gives_an_answer) {
  server_ = Server::start(options_, {}, {}, [](const Refusal&, int, std::string_view) -> Response { throw 1; }, {});
  EXPECT_EQ(client().request("GET", "/x").status, 404);
}

TEST_F(ServerTest, many_clients_on_several_threads) {
  options_.io_threads = 3;
  options_.workers = 3;
  serve(echo_routes());
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      Client one = client();
      for (int i = 0; i < 200; ++i) {
        const std::string tag = std::to_string(t) + '-' + std::to_string(i);
        if (one.request("GET", "/echo?" + tag).body == "/echo|" + tag + "|") ++good;
        if (one.request("GET", "/quick/1/" + tag).body == "/quick/1/" + tag + "||1|" + tag + "|") ++good;
        if (i % 50 == 49) one = client();
      }
    });
  }
  for (std::thread& one : threads) one.join();
  EXPECT_EQ(good, 8 * 400);
  server_->stop(milliseconds(1000));
  EXPECT_EQ(statuses_.size(), 8U * 400U);
}

TEST_F(ServerTest, metrics_count_by_route_and_status) {
  log::Metrics metrics;
  const auto routes = echo_routes();
  server_ = Server::start(options_, routes, {}, problem, all_of({request_metrics(metrics, routes), access_log()}));
  Client one = client();
  one.request("GET", "/quick/a/b");
  one.request("GET", "/quick/a/c");
  one.request("GET", "/nothing");
  one.request("POST", "/echo", std::string(2000, 'x'));
  server_->stop(milliseconds(500));
  const std::string text = metrics.text();
  for (const char* line : {"http_requests_total{route=\"/quick/{a}/{b}\",verb=\"GET\",status=\"200\"} 2\n",
                           "http_requests_total{route=\"none\",verb=\"-\",status=\"404\"} 1\n",
                           "http_requests_total{route=\"/echo\",verb=\"POST\",status=\"413\"} 1\n",
                           "http_request_duration_seconds_count{route=\"/quick/{a}/{b}\",verb=\"GET\"} 2\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace jw::http
