#include "kernel/edge/api.hpp"

#include "base/json.hpp"

namespace jw::edge {

namespace {

struct CodeRow {
  Code code;
  int status;
  std::string_view name;
  Text title;
};

const CodeRow& row_of(Code code) {
  static const CodeRow kRows[] = {
      {Code::bad_request, 400, "bad_request", {"请求无法理解", "the request cannot be understood"}},
      {Code::unauthenticated, 401, "unauthenticated", {"请先登录", "sign in first"}},
      {Code::forbidden, 403, "forbidden", {"没有权限", "not permitted"}},
      {Code::not_found, 404, "not_found", {"没有找到", "not found"}},
      {Code::conflict, 409, "conflict", {"状态已变化", "the state has changed"}},
      {Code::too_large, 413, "too_large", {"内容过大", "too large"}},
      {Code::wrong_media, 415, "wrong_media", {"请求体的类型不对", "the body is of the wrong kind"}},
      {Code::unprocessable, 422, "unprocessable", {"内容有误", "something is wrong in the content"}},
      {Code::too_many, 429, "too_many", {"请求过于频繁", "too many requests"}},
      {Code::internal, 500, "internal", {"系统内部错误，已记录", "an internal error, noted in the log"}},
      {Code::unavailable, 503, "unavailable", {"暂时不可用", "not available now"}},
      {Code::timeout, 504, "timeout", {"超时", "timed out"}},
  };
  for (const CodeRow& row : kRows) {
    if (row.code == code) return row;
  }
  return kRows[9];
}

}  // namespace

int status_of(Code code) {
  return row_of(code).status;
}

http::Response problem(const Refusal& refusal, std::string_view request_id, std::string_view record) {
  return problem_with_status(refusal, status_of(refusal.code), request_id, record);
}

http::Response problem_with_status(const Refusal& refusal, int status, std::string_view request_id,
                                   std::string_view record) {
  const CodeRow& row = row_of(refusal.code);
  http::Response response;
  response.status = status;
  response.content_type = "application/problem+json; charset=utf-8";
  JsonWriter json(response.body);
  json.object().field("type", refusal.type).field("title", row.title).field("status", status).field("code", row.name);
  json.field("detail", refusal.detail.zh.empty() ? row.title : refusal.detail);
  if (!refusal.fields.empty()) {
    json.key("fields").array();
    for (const FieldProblem& field : refusal.fields) {
      json.object().field("field", field.field).field("code", field.code).field("text", field.text).end_object();
    }
    json.end_array();
  }
  if (refusal.remedy) json.field("remedy", *refusal.remedy);
  json.field("request", request_id);
  if (!record.empty()) json.field("record", record);
  json.end_object();
  if (status == 503) response.headers.emplace_back("Retry-After", "2");
  if (status == 429) response.headers.emplace_back("Retry-After", "10");
  return response;
}

}  // namespace jw::edge
