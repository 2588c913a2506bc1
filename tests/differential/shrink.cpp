#include "kernel/catalog/condition.hpp"
#include "tests/differential/trial.hpp"

namespace jw::differential {

namespace json = boost::json;
using catalog::Dataset;

namespace {

constexpr int kAttemptsMax = 1500;

// Tries smaller cases one after the other and keeps each that still fails.
class Shrinking {
 public:
  Shrinking(const Sides& sides, Check check, Found from) : sides_(sides), check_(check), best_(std::move(from)) {}

  Found shrink() {
    for (bool smaller = true; smaller && attempts_ < kAttemptsMax;) {
      smaller = questions();
      smaller = rules() || smaller;
      smaller = rows() || smaller;
      smaller = cells() || smaller;
    }
    sides_.sqlite->put(best_.one);
    if (sides_.postgres != nullptr) sides_.postgres->put(best_.one);
    return best_;
  }

 private:
  bool fails(const Case& candidate) {
    if (++attempts_ > kAttemptsMax) return false;
    try {
      sides_.sqlite->put(candidate);
      if (sides_.postgres != nullptr) sides_.postgres->put(candidate);
      auto still = check_(sides_, Cases(&candidate, 1));
      if (!still) return false;
      best_ = std::move(*still);
      best_.one = candidate;
      return true;
    } catch (const std::exception&) {
      return false;  // another fault, or no case at all
    }
  }

  bool questions() {
    bool smaller = false;
    for (const char* key : {"where", "order", "fields", "group", "limit", "purpose", "measures"}) {
      Case candidate = best_.one;
      if (candidate.request.erase(key) > 0) smaller = fails(candidate) || smaller;
    }
    for (const char* key : {"order", "fields", "group", "measures"}) {
      for (size_t i = 0; best_.one.request.contains(key) && i < best_.one.request.at(key).as_array().size();) {
        Case candidate = best_.one;
        json::array& items = candidate.request.at(key).as_array();
        items.erase(items.begin() + static_cast<std::ptrdiff_t>(i));
        fails(candidate) ? static_cast<void>(smaller = true) : static_cast<void>(++i);
      }
    }
    for (bool again = true; again && best_.one.request.contains("where");) {
      again = false;
      for (json::value& part : inner(best_.one.request.at("where"))) {
        Case candidate = best_.one;
        candidate.request["where"] = std::move(part);
        if ((again = fails(candidate))) break;
      }
      smaller = smaller || again;
    }
    return smaller;
  }

  // The conditions in which one part of this one is left out, or that stand within it.
  static std::vector<json::value> inner(const json::value& condition) {
    std::vector<json::value> out;
    const json::object& object = condition.as_object();
    if (const json::value* part = object.if_contains("not")) out.push_back(*part);
    for (const char* key : {"all", "any"}) {
      const json::value* parts = object.if_contains(key);
      if (parts == nullptr) continue;
      for (size_t i = 0; i < parts->as_array().size(); ++i) {
        out.push_back(parts->at(i));
        json::array fewer = parts->as_array();
        fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
        out.push_back(json::object{{key, std::move(fewer)}});
      }
    }
    return out;
  }

  bool rules() {
    bool smaller = false;
    for (size_t i = 0; i < best_.one.defaults().size();) {
      Case candidate = best_.one;
      auto fewer = candidate.defaults();
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      candidate.set_policy(std::move(fewer), candidate.grants());
      fails(candidate) ? static_cast<void>(smaller = true) : static_cast<void>(++i);
    }
    for (size_t i = 0; i < best_.one.grants().size();) {
      Case candidate = best_.one;
      auto fewer = candidate.grants();
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      candidate.set_policy(candidate.defaults(), std::move(fewer));
      fails(candidate) ? static_cast<void>(smaller = true) : static_cast<void>(++i);
    }
    for (size_t i = 0; i < best_.one.grants().size(); ++i) {
      const json::value rows = json::parse(best_.one.grants()[i].content).at("rows");
      if (!rows.is_object()) continue;
      for (json::value& part : inner(rows)) {
        Case candidate = best_.one;
        auto simpler = candidate.grants();
        json::value content = json::parse(simpler[i].content);
        content.as_object()["rows"] = std::move(part);
        simpler[i].content = json::serialize(content);
        candidate.set_policy(candidate.defaults(), std::move(simpler));
        if (fails(candidate)) {
          smaller = true;
          break;
        }
      }
    }
    return smaller;
  }

  bool rows() {
    bool smaller = false;
    for (const Dataset& dataset : best_.one.catalogue().datasets) {
      const auto index = static_cast<size_t>(dataset.index);
      for (size_t r = 0; r < (*best_.one.world)[index].size();) {
        World world = *best_.one.world;
        const Value id = world[index][r].id;
        world[index].erase(world[index].begin() + static_cast<std::ptrdiff_t>(r));
        for (const Dataset& other : best_.one.catalogue().datasets) {
          for (Row& row : world[static_cast<size_t>(other.index)]) {
            for (size_t f = 0; f < row.cells.size(); ++f) {
              if (other.fields[f].ref == dataset.index && row.cells[f] == id) row.cells[f] = {};
            }
          }
        }
        fails_with(std::move(world)) ? static_cast<void>(smaller = true) : static_cast<void>(++r);
      }
    }
    return smaller;
  }

  bool cells() {
    bool smaller = false;
    for (const Dataset& dataset : best_.one.catalogue().datasets) {
      const auto index = static_cast<size_t>(dataset.index);
      for (size_t r = 0; r < (*best_.one.world)[index].size(); ++r) {
        for (size_t f = 0; f < (*best_.one.world)[index][r].cells.size(); ++f) {
          if (dataset.fields[f].required || (*best_.one.world)[index][r].cells[f] == Value{}) continue;
          World world = *best_.one.world;
          world[index][r].cells[f] = {};
          smaller = fails_with(std::move(world)) || smaller;
        }
      }
    }
    return smaller;
  }

  bool fails_with(World world) {
    Case candidate = best_.one;
    candidate.world = std::make_shared<World>(std::move(world));
    return fails(candidate);
  }

  const Sides& sides_;
  Check check_;
  Found best_;
  int attempts_ = 0;
};

std::string print(const Case& one, const policy::Atom& atom, const std::string& whose) {
  const Dataset& dataset = one.catalogue().datasets[static_cast<size_t>(atom.dataset)];
  std::string out =
      "  " + whose + (atom.effect == policy::Effect::forbid ? " forbid " : " permit ") + dataset.name + " rows ";
  if (atom.rows == policy::Atom::Rows::all) out += "all";
  if (atom.rows == policy::Atom::Rows::relation)
    out += one.catalogue().relations[static_cast<size_t>(atom.relation)].name;
  if (atom.has_condition())
    out += " where " + json::serialize(catalog::print_condition(one.catalogue(), dataset, atom.where));
  for (const auto& [sight, name] : {std::pair{policy::Sight::clear, " clear"}, {policy::Sight::masked, " masked"}}) {
    out += name;
    for (size_t f = 0; f < atom.fields.size(); ++f) out += atom.fields[f] == sight ? " " + dataset.fields[f].name : "";
  }
  out += " actions " + std::to_string(atom.actions) + " purposes";
  for (const std::string& purpose : atom.purposes) out += " " + purpose;
  return out + "\n";
}

}  // namespace

Found shrink(const Sides& sides, Check check, const Found& from) {
  return Shrinking(sides, check, from).shrink();
}

std::string print(Side& side, const Found& found) {
  const Case& one = found.one;
  const char* form = one.form == Case::Form::one ? "one row" : one.form == Case::Form::document ? "document" : "ask";
  std::string out = found.wrong + "\ncatalogue " + std::to_string(one.variant) + ", account " +
                    std::to_string(one.account) + " (person " + std::to_string(one.asker().person) + "), now " +
                    std::to_string(one.now_us - kNow) + " µs, " + form + " " + json::serialize(one.request) + "\n";
  out += print(one.catalogue(), *one.world);
  const Rules& rules = one.rules();
  for (const policy::Atom& atom : rules.regulation.atoms)
    out += print(one, atom, rules.regulation.posts[static_cast<size_t>(atom.post)].name);
  for (const policy::Atom& atom : rules.grants) {
    const std::string whose = atom.post >= 0
                                  ? rules.regulation.posts[static_cast<size_t>(atom.post)].name + " " + atom.unit
                                  : "account " + std::to_string(atom.account);
    out +=
        print(one, atom,
              whose + " [" + std::to_string(atom.from_us - kNow) + ", " + std::to_string(atom.until_us - kNow) + ")");
  }
  const auto statement = side.engine().statement(one.asker(), one.request);
  return out + (statement ? statement->sql : "no statement: " + statement.refusal().type) + "\n";
}

}  // namespace jw::differential
