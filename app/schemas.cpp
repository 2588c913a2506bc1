#include "app/schemas.hpp"

#include "base/json.hpp"

namespace jw::app {

namespace {

// @DATASETS@ becomes the names of the catalogue: a new dataset is in the description without another line.
constexpr std::string_view kSchemas = R"json({
"Remedy":{"type":"object","required":["clause","text","kind"],"properties":{"clause":{"type":"string"},"text":{"$ref":"#/components/schemas/Text"},"kind":{"type":"string"},"prefill":{"type":"object"}}},
"Session":{"type":"object","required":["token","expires","person"],"properties":{"token":{"type":"string"},"expires":{"type":"string","format":"date-time"},"person":{"type":"object"},"must_change_password":{"type":"boolean"}}},
"Me":{"type":"object","required":["account","kind","name","posts","modules","store"],"properties":{"account":{"type":"string"},"kind":{"type":"string"},"name":{"type":"string"},"number":{"type":"string"},"posts":{"type":"array"},"due":{"type":"array"},"modules":{"type":"array"},"store":{"type":"object"},"factor":{"type":"object","required":["enrolled","recovery_left"]},"now":{"type":"string"}}},
"Condition":{"type":"object","description":"{field, op, value} | {all:[…]} | {any:[…]} | {not:…}","properties":{"field":{"type":"string"},"op":{"enum":["eq","ne","lt","le","gt","ge","between","in","contains","starts","is_null"]},"value":{},"all":{"type":"array","items":{"$ref":"#/components/schemas/Condition"}},"any":{"type":"array","items":{"$ref":"#/components/schemas/Condition"}},"not":{"$ref":"#/components/schemas/Condition"}}},
"Query":{"type":"object","required":["dataset"],"additionalProperties":false,"properties":{"dataset":{"enum":@DATASETS@},"fields":{"type":"array","items":{"type":"string"}},"where":{"$ref":"#/components/schemas/Condition"},"order":{"type":"array","items":{"type":"object","required":["field"],"properties":{"field":{"type":"string"},"desc":{"type":"boolean"}}}},"limit":{"type":"integer","minimum":1},"after":{"type":["string","null"]},"purpose":{"type":"string"},"group":{"type":"array","items":{"type":"string"}},"measures":{"type":"array","items":{"type":"object","required":["fn"],"properties":{"fn":{"enum":["count","count_distinct","sum","avg","min","max","share","median","stddev","histogram"]},"field":{"type":"string"},"as":{"type":"string"},"places":{"type":"integer"},"width":{"type":"integer"},"where":{"$ref":"#/components/schemas/Condition"}}}}}},
"Answer":{"type":"object","required":["columns","rows","hidden","next","scope","record"],"properties":{"columns":{"type":"array","items":{"type":"object","required":["name","label","type","level"]}},"rows":{"type":"array","items":{"type":"array"}},"hidden":{"type":"object","properties":{"fields":{"type":"object"},"cells":{"type":"array"}}},"next":{"type":["string","null"]},"scope":{"type":"object","properties":{"text":{"$ref":"#/components/schemas/Text"},"basis":{"type":"array"}}},"record":{"type":"string"}}}
})json";

}  // namespace

std::string schemas(const catalog::Catalogue& catalogue) {
  std::string names;
  JsonWriter json(names);
  json.array();
  for (const catalog::Dataset& dataset : catalogue.datasets) json.value(dataset.name);
  json.end_array();
  std::string out(kSchemas);
  constexpr std::string_view kMark = "@DATASETS@";
  out.replace(out.find(kMark), kMark.size(), names);
  return out;
}

}  // namespace jw::app
