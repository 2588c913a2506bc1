-- wrk: every request is another student's own-grades query. TOKENS names a file of "token person" lines; BARE=1 asks the ungoverned reference.
local tokens, persons = {}, {}
for line in io.lines(os.getenv("TOKENS")) do
  local token, person = line:match("(%S+) (%S+)")
  tokens[#tokens + 1], persons[#persons + 1] = token, person
end
local body = '{"dataset":"grade","fields":["student","student_name","term","course","course_name","credits","score","points","exam_kind"],"order":[{"field":"term","desc":true},{"field":"course"}]}'
local bare, at = os.getenv("BARE") == "1", 0

request = function()
  at = at % #tokens + 1
  if bare then return wrk.format("GET", "/bench/own-grades?person=" .. persons[at]) end
  return wrk.format("POST", "/api/query", { ["Authorization"] = "Bearer " .. tokens[at], ["Content-Type"] = "application/json" }, body)
end

done = function(summary, latency)
  io.write(string.format('{"requests":%d,"seconds":%.3f,"per_second":%.0f,"p50_ms":%.2f,"p99_ms":%.2f,"errors":%d}\n', summary.requests, summary.duration / 1e6,
    summary.requests / (summary.duration / 1e6), latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.errors.status + summary.errors.read + summary.errors.timeout + summary.errors.connect))
end
