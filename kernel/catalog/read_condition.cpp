// Conditions of files: the same parser as for queries, with problems told by line.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "kernel/catalog/source.hpp"

namespace jw::catalog {
namespace json = boost::json;
namespace {

json::value json_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::text:
      return json::string(node.text);
    case Node::Kind::integer:
      return node.integer;
    case Node::Kind::real:
      return node.real;
    case Node::Kind::boolean:
      return node.integer != 0;
    case Node::Kind::array: {
      json::array out;
      for (const Node& item : node.items) out.push_back(json_of(item));
      return out;
    }
    case Node::Kind::table: {
      json::object out;
      for (size_t i = 0; i < node.keys.size(); ++i) out[node.keys[i]] = json_of(node.items[i]);
      return out;
    }
  }
  return nullptr;
}

// Line of the node at ".all[0].value" below `node`; of the nearest one above it when the path leads nowhere.
int line_at(const Node& root, std::string_view path) {
  const Node* node = &root;
  while (!path.empty()) {
    const bool item = path.front() == '[';
    path.remove_prefix(1);
    const size_t end = path.find_first_of(item ? "]" : ".[");
    const std::string_view step = path.substr(0, end);
    path = end == std::string_view::npos ? std::string_view{} : path.substr(end + (item ? 1 : 0));
    const Node* next = nullptr;
    if (item) {
      size_t index = 0;
      for (const char c : step) index = index * 10 + static_cast<size_t>(c - '0');
      if (index < node->items.size()) next = &node->items[index];
    } else {
      next = node->find(step);
    }
    if (next == nullptr) break;
    node = next;
  }
  return node->line;
}

}  // namespace

std::optional<Condition> read_condition(const Catalogue& catalogue, const Dataset& dataset, const Node& node,
                                        const std::string& file, ConditionUse use, Problems& problems) {
  auto condition = parse_condition(catalogue, dataset, json_of(node), use, "");
  if (condition) return std::move(condition).value();
  for (const FieldProblem& problem : condition.refusal().fields) {
    problems.add(file, line_at(node, problem.field), problem.text);
  }
  return std::nullopt;
}

}  // namespace jw::catalog
