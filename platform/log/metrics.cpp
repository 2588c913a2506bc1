#include "platform/log/metrics.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace jw::log {
namespace {

enum Kind : int { kCounter, kGauge, kHistogram };
constexpr std::array<std::string_view, 3> kKindNames{"counter", "gauge", "histogram"};

void append_number(std::string& out, double number) {
  std::array<char, 40> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else {
      if (c == '\\' || (quotes && c == '"')) out += '\\';
      out += c;
    }
  }
}

bool is_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
  };
  return !name.empty() && (name[0] < '0' || name[0] > '9') && std::all_of(name.begin(), name.end(), good);
}

// name="value",… without braces; also the order of the series.
std::string print(const Labels& labels) {
  std::string out;
  for (const auto& [name, value] : labels) {
    if (!is_name(name)) throw std::logic_error("not a label name: " + name);
    if (!out.empty()) out += ',';
    out += name;
    out += "=\"";
    append_escaped(out, value, true);
    out += '"';
  }
  return out;
}

}  // namespace

struct Metrics::Series {
  std::string labels;
  Counter counter{};
  Gauge gauge{};
  std::unique_ptr<Histogram> histogram{};

  void append_sample(std::string& out, std::string_view name, std::string_view more, std::string_view number) const {
    out += name;
    if (!labels.empty() || !more.empty()) {
      out += '{';
      out += labels;
      if (!labels.empty() && !more.empty()) out += ',';
      out += more;
      out += '}';
    }
    out += ' ';
    out += number;
    out += '\n';
  }

  void append_histogram(std::string& out, const std::string& name) const {
    uint64_t total = 0;
    for (size_t i = 0; i <= histogram->bounds().size(); ++i) {
      total += histogram->count_in(i);
      std::string bound = "le=\"";
      if (i < histogram->bounds().size()) {
        append_number(bound, histogram->bounds()[i]);
      } else {
        bound += "+Inf";
      }
      append_sample(out, name + "_bucket", bound + '"', std::to_string(total));
    }
    std::string sum;
    append_number(sum, histogram->sum());
    append_sample(out, name + "_sum", {}, sum);
    append_sample(out, name + "_count", {}, std::to_string(total));
  }
};

struct Metrics::Family {
  std::string name, help;
  int kind;
  std::vector<std::unique_ptr<Series>> series{};
};

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)), counts_(new std::atomic<uint64_t>[bounds_.size() + 1]) {
  if (!std::is_sorted(bounds_.begin(), bounds_.end())) throw std::logic_error("bounds of a histogram must rise");
  for (size_t i = 0; i <= bounds_.size(); ++i) counts_[i].store(0, std::memory_order_relaxed);
}

void Histogram::observe(double value) {
  const auto bucket = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<double> duration_bounds() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

Metrics::Metrics() = default;
Metrics::~Metrics() = default;

Metrics::Series& Metrics::series(std::string_view name, std::string_view help, int kind, const Labels& labels) {
  if (!is_name(name)) throw std::logic_error("not a metric name: " + std::string(name));
  auto family = std::lower_bound(families_.begin(), families_.end(), name,
                                 [](const auto& one, std::string_view wanted) { return one->name < wanted; });
  if (family == families_.end() || (*family)->name != name) {
    family = families_.insert(family, std::make_unique<Family>(Family{std::string(name), std::string(help), kind}));
  }
  if ((*family)->kind != kind) throw std::logic_error("metric of another kind: " + std::string(name));
  const std::string printed = print(labels);
  auto& all = (*family)->series;
  auto one = std::lower_bound(all.begin(), all.end(), printed,
                              [](const auto& other, const std::string& wanted) { return other->labels < wanted; });
  if (one == all.end() || (*one)->labels != printed) {
    one = all.insert(one, std::make_unique<Series>());
    (*one)->labels = printed;
  }
  return **one;
}

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  return series(name, help, kCounter, labels).counter;
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  const std::lock_guard lock(mutex_);
  return series(name, help, kGauge, labels).gauge;
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                              const Labels& labels) {
  const std::lock_guard lock(mutex_);
  Series& one = series(name, help, kHistogram, labels);
  if (one.histogram == nullptr) one.histogram = std::make_unique<Histogram>(bounds);
  return *one.histogram;
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& family : families_) {
    out += "# HELP " + family->name + ' ';
    append_escaped(out, family->help, false);
    out += "\n# TYPE " + family->name + ' ';
    out += kKindNames[static_cast<size_t>(family->kind)];
    out += '\n';
    for (const auto& one : family->series) {
      if (family->kind == kHistogram) {
        one->append_histogram(out, family->name);
      } else if (family->kind == kGauge) {
        one->append_sample(out, family->name, {}, std::to_string(one->gauge.value()));
      } else if (one->counter.count() != 0 || one->labels.empty()) {
        one->append_sample(out, family->name, {}, std::to_string(one->counter.count()));
      }
    }
  }
  return out;
}

}  // namespace jw::log
