// Reading the request target (RFC 9112 §3.2): what comes in is refused unless it has one plain meaning.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "platform/http/api.hpp"

namespace jw::http {

enum class Plus : bool { itself, space };

// Nothing on a bad escape, bytes that are not UTF-8, or a control character.
std::optional<std::string> percent_decode(std::string_view text, Plus plus);

// Sets path and query; `raw_path` views the path as sent, inside `target`. False when the target is malformed: not
// origin form (or absolute form, which proxies send), bad escapes in path or query, dot segments, a fragment.
bool read_target(std::string_view target, Request& request, std::string_view& raw_path);

}  // namespace jw::http
