#include "app/description.hpp"

#include <boost/json.hpp>

#include <iostream>

#include "app/commands.hpp"
#include "app/modules.hpp"
#include "app/routes.hpp"
#include "app/system.hpp"
#include "kernel/edge/description.hpp"

namespace jw::app {

namespace json = boost::json;

std::vector<std::span<const edge::Route>> route_tables(bool made_up) {
  std::vector<std::span<const edge::Route>> tables{session_routes(),  factor_routes(), query_routes(),
                                                   evidence_routes(), notice_routes(), case_routes(),
                                                   operation_routes()};
  for (const edge::Module* module : modules()) {
    if (made_up || !module->made_up_only) tables.push_back(module->routes);
  }
  return tables;
}

std::string description(const std::filesystem::path& home, const catalog::Catalogue& catalogue, bool made_up) {
  json::object schemas = edge::read_schemas(home);
  json::array names;
  for (const catalog::Dataset& dataset : catalogue.datasets) names.emplace_back(dataset.name);
  schemas["DatasetName"] = json::object{{"type", "string"}, {"enum", std::move(names)}};
  std::vector<const edge::Route*> rows;
  for (const std::span<const edge::Route> table : route_tables(made_up)) {
    for (const edge::Route& row : table) rows.push_back(&row);
  }
  return edge::openapi(std::move(rows), std::move(schemas));
}

int openapi(const edge::Words& words) {
  const edge::Arguments arguments(words, {"home"}, {});
  const std::filesystem::path home = find_home(arguments.option("home").value_or(""));
  std::cout << description(home, *load_catalogue(home), true) << '\n';
  return 0;
}

}  // namespace jw::app
