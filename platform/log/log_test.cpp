#include "platform/log/api.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "platform/log/metrics.hpp"

namespace jw::log {
namespace {

class LogFile : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = (std::filesystem::temp_directory_path() / ("jw_log_test_" + std::to_string(::getpid()))).string();
    std::filesystem::remove(path_);
  }
  void TearDown() override {
    start({});
    std::filesystem::remove(path_);
  }
  std::vector<std::string> lines() const {
    std::ifstream in(path_);
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);) all.push_back(line);
    return all;
  }

  std::string path_;
};

TEST_F(LogFile, writes_one_json_object_a_line) {
  start({.least = Level::info, .file = path_});
  warning("http.handler_failed", {{"request", "0f3a"}, {"status", 500}, {"again", true}, {"error", "a \"b\"\n"}});
  ASSERT_EQ(lines().size(), 1U);
  const std::string line = lines()[0];
  EXPECT_EQ(line.substr(0, 9), R"({"time":")");
  EXPECT_EQ(line.find("+08:00\",\"level\""), 35U);
  EXPECT_NE(line.find(R"("level":"warning","event":"http.handler_failed","request":"0f3a","status":500,"again":true,)"
                      R"("error":"a \"b\"\n"})"),
            std::string::npos)
      << line;
}

TEST_F(LogFile, lines_below_the_level_are_not_written) {
  start({.least = Level::warning, .file = path_});
  info("test.quiet");
  EXPECT_FALSE(is_on(Level::info));
  error("test.loud");
  flush();
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_NE(lines()[0].find("test.loud"), std::string::npos);
}

TEST_F(LogFile, long_and_broken_words_are_made_harmless) {
  start({.least = Level::info, .file = path_});
  warning("test.word", {{"long", std::string(2000, 'a')}, {"broken", std::string_view("\xff\xfe ok", 5)}});
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_LT(lines()[0].size(), 700U);
  EXPECT_NE(lines()[0].find(R"("broken":"?? ok")"), std::string::npos) << lines()[0];
}

TEST_F(LogFile, many_threads_write_whole_lines_and_the_writer_flushes_by_itself) {
  start({.least = Level::info, .file = path_, .flush_every = std::chrono::milliseconds(10)});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 1000; ++i) info("test.line", {{"thread", t}, {"i", i}});
    });
  }
  for (std::thread& one : threads) one.join();
  for (int tries = 0; tries < 200 && lines().size() < 4000; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const auto all = lines();
  ASSERT_EQ(all.size(), 4000U);
  for (const std::string& line : all) {
    EXPECT_EQ(line.front(), '{');
    EXPECT_EQ(line.back(), '}');
  }
}

TEST_F(LogFile, what_does_not_fit_is_dropped_and_counted) {
  start({.least = Level::info, .file = path_, .flush_every = std::chrono::hours(1), .waiting_max = 200});
  for (int i = 0; i < 50; ++i) info("test.line", {{"i", i}});
  flush();
  ASSERT_FALSE(lines().empty());
  EXPECT_NE(lines().back().find(R"("event":"log.dropped","lines":)"), std::string::npos);
}

TEST_F(LogFile, reopen_follows_a_rotated_file) {
  start({.least = Level::info, .file = path_});
  warning("test.before");
  std::filesystem::rename(path_, path_ + ".1");
  reopen();
  warning("test.after");
  std::filesystem::remove(path_ + ".1");
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_NE(lines()[0].find("test.after"), std::string::npos);
}

TEST(MetricsText, has_families_by_name_and_series_by_label) {
  Metrics metrics;
  metrics.counter("b_total", "Second.", {{"route", "/x\"y"}, {"status", "200"}}).add(3);
  metrics.counter("b_total", "Second.", {{"route", "/never"}, {"status", "200"}});
  metrics.gauge("a", "First\nline.").set(-2);
  Histogram& h = metrics.histogram("c_seconds", "Third.", {0.1, 1});
  h.observe(0.1);
  h.observe(0.5);
  h.observe(7);
  EXPECT_EQ(metrics.text(),
            "# HELP a First\\nline.\n# TYPE a gauge\na -2\n"
            "# HELP b_total Second.\n# TYPE b_total counter\nb_total{route=\"/x\\\"y\",status=\"200\"} 3\n"
            "# HELP c_seconds Third.\n# TYPE c_seconds histogram\n"
            "c_seconds_bucket{le=\"0.1\"} 1\nc_seconds_bucket{le=\"1\"} 2\nc_seconds_bucket{le=\"+Inf\"} 3\n"
            "c_seconds_sum 7.6\nc_seconds_count 3\n");
}

TEST(MetricsText, same_name_and_labels_are_the_same_series_and_another_kind_is_refused) {
  Metrics metrics;
  EXPECT_EQ(&metrics.counter("n_total", "N.", {{"a", "1"}}), &metrics.counter("n_total", "N.", {{"a", "1"}}));
  EXPECT_NE(&metrics.counter("n_total", "N.", {{"a", "2"}}), &metrics.counter("n_total", "N.", {{"a", "1"}}));
  EXPECT_THROW(metrics.gauge("n_total", "N."), std::logic_error);
  EXPECT_THROW(metrics.gauge("n-total", "N."), std::logic_error);
}

}  // namespace
}  // namespace jw::log
