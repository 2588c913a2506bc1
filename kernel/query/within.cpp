// Every row written is asked about, at both moments; see within.hpp.
#include "kernel/query/within.hpp"

#include <algorithm>

#include "base/fault.hpp"
#include "base/json.hpp"
#include "kernel/catalog/schema.hpp"
#include "kernel/identity/api.hpp"
#include "kernel/query/engine.hpp"
#include "kernel/query/view.hpp"

namespace jw::query {

namespace {

constexpr size_t kBlock = 4096;  // rows asked about by one statement

enum class Moment : uint8_t { stood, stands };

std::string json_of(std::span<const int64_t> ids) {
  std::string out;
  JsonWriter json(out);
  json.array();
  for (const int64_t id : ids) json.value(id);
  json.end_array();
  return out;
}

// Rows of one dataset at one moment: how many of some are within, and which are not.
class Question {
 public:
  Question(const Writing& writing, const Decision& decision, const Written& written, Moment moment, db::Dialect dialect)
      : writing_(writing),
        decision_(decision),
        dataset_(*written.dataset),
        moment_(moment),
        statement_(writing.authority.rules().catalogue(), writing.authority.rules().regulation(), dialect),
        batch_(statement_.slot({Slot::Kind::query_literal, 0})),
        ids_(statement_.slot({Slot::Kind::query_literal, 1})),
        frame_(statement_, dataset_, "t"),
        literals_{written.batch, std::string()} {
    statement_.look_past(batch_, written.datasets);
    frame_.from(moment == Moment::stood ? catalog::history_name(dataset_) : catalog::table_name(dataset_));
    View view(statement_, frame_, decision, {&writing.authority.rules().regulation(), {}, 0, false});
    rows_ = view.rows();
    for (size_t f = 0; f < dataset_.fields.size() && !dataset_.fields[f].is_lookup(); ++f)
      fields_.push_back(field(view, static_cast<int>(f)));
    std::vector<Predicate> parts = JW_FAULT(56, fields_, std::vector<Predicate>());
    parts.push_back(JW_FAULT(55, rows_, Predicate::always()));
    within_ = policy::all_of(parts);
  }

  // Nothing can be outside.
  bool is_always() const { return within_.is_always(); }

  bool are_within(db::Connection& transaction, std::span<const int64_t> ids) {
    int64_t count = 0;
    run(transaction, "SELECT COUNT(*)" + source() + " AND " + within_.text(), ids,
        [&](const db::Rows& rows) { count = rows.integer(0); });
    return JW_FAULT(57, count == static_cast<int64_t>(ids.size()), count > 0);
  }

  void tell(db::Connection& transaction, std::span<const int64_t> ids, size_t most, std::vector<Outside>& out) {
    std::string which = "CASE WHEN (" + rows_.text() + ") IS NOT TRUE THEN -1";
    for (size_t f = 0; f < fields_.size(); ++f) {
      if (!fields_[f].is_always()) which += " WHEN (" + fields_[f].text() + ") IS NOT TRUE THEN " + std::to_string(f);
    }
    std::string keys;
    for (const int key : dataset_.key) keys += ", " + statement_.shown({&frame_, {}}, key);
    size_t found = 0;
    run(transaction, "SELECT CAST(" + which + " END AS BIGINT)" + keys + source() + " ORDER BY t.\"id\"", ids,
        [&](const db::Rows& rows) {
          ++found;
          if (!rows.is_null(0)) add({key_of(rows), static_cast<int>(rows.integer(0))}, most, out);
        });
    if (found < ids.size()) add({}, most, out);
  }

 private:
  // What is outside at both moments is told once.
  static void add(Outside one, size_t most, std::vector<Outside>& out) {
    if (out.size() < most && std::find(out.begin(), out.end(), one) == out.end()) out.push_back(std::move(one));
  }
  // Left as it is, or open where the row stands.
  Predicate field(View& view, int field) {
    const Predicate open = view.clear(field);
    if (open.is_always()) return open;
    const std::string column = "." + catalog::column_name(dataset_.fields[static_cast<size_t>(field)]);
    const std::string same =
        "(t" + column + (statement_.postgres() ? " IS NOT DISTINCT FROM o" : " IS o") + column + ")";
    return policy::any_of({JW_FAULT(59, Predicate::depends(same), Predicate::never()), open});
  }

  // FROM … WHERE: the rows at this moment as t, at the other one as o.
  std::string source() const {
    const std::string table = catalog::table_name(dataset_), history = catalog::history_name(dataset_);
    const auto before = [&](const std::string& alias) {
      return alias + ".\"ended_batch_id\" = " + batch_ + " AND " + alias + ".\"batch_id\" <> " + batch_;
    };
    std::string sql = " FROM " + frame_.from_sql() + " LEFT JOIN ";
    if (moment_ == Moment::stood) {
      sql += table + " o ON o.\"id\" = t.\"id\" WHERE " + before("t");
    } else {
      sql += history + " o ON o.\"id\" = t.\"id\" AND " + before("o") + " WHERE t.\"batch_id\" = " + batch_;
    }
    const bool text = statement_.postgres();
    return sql + " AND " +
           statement_.member(
               "t.\"id\"",
               text ? "SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST(" + ids_ + " AS JSON))"
                    : "SELECT value FROM json_each(" + ids_ + ")",
               true);
  }

  std::string key_of(const db::Rows& rows) const {
    std::string out;
    for (size_t i = 0; i < dataset_.key.size(); ++i) {
      const size_t column = i + 1;
      if (rows.is_null(column)) return {};
      if (i > 0) out += '~';
      const catalog::Value value = rows.kind(column) == db::Kind::integer
                                       ? catalog::Value(rows.integer(column))
                                       : catalog::Value(std::string(rows.text(column)));
      out += catalog::print_value(statement_.catalogue(), dataset_.fields[static_cast<size_t>(dataset_.key[i])], value,
                                  false);
    }
    return out;
  }

  template <class Each>
  void run(db::Connection& transaction, const std::string& sql, std::span<const int64_t> ids, const Each& each) {
    literals_[1] = json_of(ids);
    policy::Binding binding;
    binding.person = writing_.asker.person;
    binding.session = writing_.asker.session;
    binding.now_us = writing_.now.us;
    binding.today = writing_.now.date();
    binding.query = &literals_;
    binding.policy = &decision_.literals;
    std::vector<db::Param> params;
    std::vector<std::string> texts;
    policy::bind(statement_.slots(), binding, params, texts);
    db::Rows rows = transaction.query(sql, params);
    while (rows.next()) each(rows);
  }

  const Writing& writing_;
  const Decision& decision_;
  const Dataset& dataset_;
  const Moment moment_;
  Statement statement_;
  const std::string batch_, ids_;
  Frame frame_;
  Predicate rows_, within_;
  std::vector<Predicate> fields_;  // by own field
  std::vector<policy::Literal> literals_;
};

}  // namespace

Result<std::vector<Outside>> outside(db::Connection& transaction, const Writing& writing, const Written& written,
                                     size_t most) {
  if (JW_FAULT(60, writing.asker.agreement_due && written.dataset->tells_of_persons, false))
    return identity::agreement_due();
  const Decision& decision = writing.authority.decide(*written.dataset, writing.action, writing.purpose);
  if (!decision.allowed()) return *decision.refusal;
  std::vector<Outside> out;
  for (const Moment moment : {Moment::stood, Moment::stands}) {
    if (JW_FAULT(61, false, moment == Moment::stood) || JW_FAULT(62, false, moment == Moment::stands)) continue;
    const std::vector<int64_t>& ids = moment == Moment::stood ? written.stood : written.stands;
    if (ids.empty()) continue;
    Question question(writing, decision, written, moment, transaction.dialect());
    for (size_t at = 0; at < ids.size() && out.size() < most && !question.is_always(); at += kBlock) {
      const std::span<const int64_t> block = std::span(ids).subspan(at, std::min(kBlock, ids.size() - at));
      if (!question.are_within(transaction, block)) question.tell(transaction, block, most, out);
    }
  }
  return out;
}

}  // namespace jw::query
