// The only place that knows HTTP status codes of refusals (RFC 9457, docs/api.md).
#pragma once

#include "platform/http/api.hpp"

namespace jw::app {

int status_of(Code code);
// `record`: id of the leaf that keeps this refusal; empty when none does.
http::Response problem(const Refusal& refusal, std::string_view request_id, std::string_view record = {});
http::Response problem_with_status(const Refusal& refusal, int status, std::string_view request_id,
                                   std::string_view record = {});

}  // namespace jw::app
