// Query ⊗ permissions → one statement (design §1.6, governance §3.2–3.4).
#include <algorithm>

#include "base/fault.hpp"
#include "base/json.hpp"
#include "kernel/catalog/condition.hpp"
#include "kernel/identity/api.hpp"
#include "kernel/query/plan.hpp"
#include "kernel/query/view.hpp"
#include "platform/crypto/api.hpp"

namespace jw::query {

using catalog::Condition;

std::string gate_sql(Statement& statement) {
  // The first two slots of every governed statement: identity::gate_sql wants them side by side.
  statement.slot({Slot::Kind::session});
  statement.slot({Slot::Kind::now});
  return identity::gate_sql(1);
}

namespace {

Refusal closed(const Dataset& dataset, const Decision& decision, int field, const std::string& path, bool masked_only) {
  const Field& f = dataset.fields.at(static_cast<size_t>(field));
  Refusal refusal;
  refusal.code = Code::forbidden;
  refusal.type = "policy.field_closed";
  refusal.detail =
      masked_only
          ? Text{"“" + f.label.zh + "”只以掩码显示，不能这样使用",
                 f.label.en + " is shown masked only and cannot be used this way"}
          : Text{"按现有权限（" + decision.basis + "），“" + dataset.label.zh + "”的字段“" + f.label.zh + "”不开放",
                 "the permissions held (" + decision.basis + ") do not open the field " + f.label.en + " of " +
                     dataset.label.en};
  refusal.fields.push_back({path, "field_closed", refusal.detail});
  refusal.remedy = policy::access_remedy(dataset, {f.name}, decision.action, decision.purpose);
  return refusal;
}

Result<Done> check_open(const Decision& decision, const Condition& condition, const std::string& path) {
  for (const Condition& part : condition.parts) JW_CHECK(check_open(decision, part, path));
  if (condition.kind != Condition::Kind::leaf) return Done{};
  if (JW_FAULT(32, decision.fields.at(static_cast<size_t>(condition.field)).is_closed(), false))
    return closed(*decision.dataset, decision, condition.field, path, false);
  return Done{};
}

Printed printed_of(const Field& field) {
  return {field.type, field.type == Type::decimal ? field.size : 0};
}

void describe_column(JsonWriter& json, const Dataset& dataset, int field) {
  const Field& f = dataset.fields.at(static_cast<size_t>(field));
  json.object().field("name", f.name).field("label", f.label).field("type", catalog::type_name(f.type));
  if (f.type == Type::decimal) json.field("places", f.size);
  json.field("level", static_cast<int>(f.level)).end_object();
}

void describe_hidden(JsonWriter& json, const Decision& decision, const HiddenField& hidden) {
  const Field& f = decision.dataset->fields.at(static_cast<size_t>(hidden.field));
  const std::string& basis = decision.basis;
  json.key(f.name).object();
  switch (hidden.how) {
    case HiddenField::How::varies:
      json.field("sight", "varies")
          .field("reason", Text{"只在部分行上可见，依据 " + basis, "seen on some rows only, under " + basis});
      break;
    case HiddenField::How::masked:
      json.field("sight", "masked").field("reason", Text{"以掩码显示，依据 " + basis, "shown masked, under " + basis});
      break;
    case HiddenField::How::closed:
      json.field("sight", "hidden")
          .field("reason", Text{"依据 " + basis + "，此字段不在许可范围内", "not within what " + basis + " permits"});
      break;
  }
  json.field("remedy", policy::access_remedy(*decision.dataset, {f.name}, decision.action, decision.purpose))
      .end_object();
}

class Compilation {
 public:
  Compilation(const Compiler& compiler, const Query& query, const Decision& decision)
      : compiler_(compiler),
        query_(query),
        decision_(decision),
        dataset_(*decision.dataset),
        statement_(compiler.catalogue, compiler.regulation, compiler.dialect),
        gate_(gate_sql(statement_)),
        frame_(statement_, dataset_, "t"),
        view_(statement_, frame_, decision, {&compiler.regulation, {}}),
        plan_(std::make_shared<Plan>()) {
    where_parts_.push_back(view_.rows());
    selection_.add(gate_);
    plan_->about_others = about_others();
  }

  Result<std::shared_ptr<const Plan>> list(const std::vector<bool>& cursor_nulls, bool has_cursor);
  Result<std::shared_ptr<const Plan>> statistics();
  Result<std::shared_ptr<const Plan>> few();  // Plan::few

 private:
  Result<Done> add_where();
  Predicate guarded(const Condition& condition, int64_t& literal, bool positive) {
    Statement::Literals literals{Slot::Kind::query_literal, literal};
    const Predicate lowered = statement_.lower(view_.place(), condition, positive, literals,
                                               [this](int field) { return view_.clear(field); });
    literal = literals.next;
    return lowered;
  }
  void add_out(int field);
  void add_hidden_fields(const std::vector<int>& fields);
  bool about_others() const { return dataset_.has_subject && !decision_.own_only; }
  void add_subjects();
  void fill_columns(const Measure& measure, const std::string& x, const Field* f, bool by_value, int64_t& literal,
                    MeasureColumns& columns);
  std::string after_cursor(const std::vector<std::string>& keys, const std::vector<bool>& descending,
                           const std::vector<bool>& nulls);
  std::string selected() const;
  std::shared_ptr<const Plan> finish(std::string sql);

  const Compiler& compiler_;
  const Query& query_;
  const Decision& decision_;
  const Dataset& dataset_;
  Statement statement_;
  std::string gate_;
  Frame frame_;
  View view_;
  Selection selection_;
  std::vector<Predicate> where_parts_;
  std::shared_ptr<Plan> plan_;
};

Result<Done> Compilation::add_where() {
  if (!query_.where) return Done{};
  JW_CHECK(check_open(decision_, *query_.where, "where"));
  int64_t literal = 0;
  where_parts_.push_back(guarded(*query_.where, literal, true));
  return Done{};
}

void Compilation::add_out(int field) {
  OutColumn out;
  out.field = field;
  out.printed = printed_of(dataset_.fields.at(static_cast<size_t>(field)));
  out.column = selection_.add(view_.cell(field));
  if (const std::string mark = view_.mark(field); !mark.empty()) out.mark = static_cast<int>(selection_.add(mark));
  plan_->out.push_back(out);
}

void Compilation::add_hidden_fields(const std::vector<int>& fields) {
  for (int field : fields) {
    if (!view_.mark(field).empty()) {
      plan_->hidden.push_back({field, HiddenField::How::varies});
    } else if (view_.clear(field).is_never()) {
      plan_->hidden.push_back({field, HiddenField::How::masked});
    }
  }
  for (size_t f = 0; query_.fields.empty() && f < dataset_.fields.size(); ++f) {
    if (decision_.fields[f].is_closed()) plan_->hidden.push_back({static_cast<int>(f), HiddenField::How::closed});
  }
}

void Compilation::add_subjects() {
  if (!about_others()) return;
  Place subject = view_.place();
  subject.path.insert(subject.path.end(), dataset_.about.begin(), dataset_.about.end());
  plan_->person = static_cast<int>(selection_.add(statement_.person_id(subject)));
  const Dataset* persons = &dataset_;
  for (int hop : dataset_.about)
    persons = &compiler_.catalogue.datasets.at(static_cast<size_t>(persons->fields.at(static_cast<size_t>(hop)).ref));
  if (persons->group >= 0) plan_->group = static_cast<int>(selection_.add(statement_.stored(subject, persons->group)));
}

// Rows after the last one of the page before, NULLs last in both directions.
std::string Compilation::after_cursor(const std::vector<std::string>& keys, const std::vector<bool>& descending,
                                      const std::vector<bool>& nulls) {
  std::string sql, equal;
  for (size_t i = 0; i < keys.size(); ++i) {
    const bool is_null = i < nulls.size() && nulls[i];
    const std::string value = is_null ? "" : statement_.slot({Slot::Kind::cursor, static_cast<int64_t>(i)});
    if (!is_null) {
      std::string further = keys[i] + (JW_FAULT(36, descending[i], false) ? " < " : " > ") + value;
      if (i + 1 < keys.size()) further = "(" + further + JW_FAULT(35, " OR " + keys[i] + " IS NULL", "") + ")";
      sql += (sql.empty() ? "" : " OR ") + (equal.empty() ? further : "(" + equal + " AND " + further + ")");
    }
    const std::string same = is_null ? keys[i] + " IS NULL" : keys[i] + " = " + value;
    equal += (equal.empty() ? "" : " AND ") + same;
  }
  return "(" + sql + ")";
}

std::string Compilation::selected() const {
  return "SELECT " + selection_.sql() + " FROM " + frame_.from_sql() + " WHERE " + policy::all_of(where_parts_).text();
}

std::shared_ptr<const Plan> Compilation::finish(std::string sql) {
  plan_->sql = std::move(sql);
  plan_->reach = reach_of(compiler_.catalogue, query_, decision_);
  plan_->slots = statement_.slots();
  const crypto::Digest digest = crypto::sha256(plan_->sql);
  plan_->digest = crypto::hex(crypto::bytes_of(digest).substr(0, 16));
  return plan_;
}

Result<std::shared_ptr<const Plan>> Compilation::list(const std::vector<bool>& cursor_nulls, bool has_cursor) {
  std::vector<int> fields = query_.fields;
  if (fields.empty()) {
    for (size_t f = 0; f < dataset_.fields.size(); ++f) {
      if (!decision_.fields[f].is_closed()) fields.push_back(static_cast<int>(f));
    }
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (decision_.fields.at(static_cast<size_t>(fields[i])).is_closed()) {
      return closed(dataset_, decision_, fields[i], "fields[" + std::to_string(i) + "]", false);
    }
  }
  JW_CHECK(add_where());
  for (int field : fields) add_out(field);
  add_hidden_fields(fields);
  add_subjects();

  std::vector<OrderKey> order = query_.order;
  for (size_t i = 0; i < order.size(); ++i) {
    if (decision_.fields.at(static_cast<size_t>(order[i].field)).is_closed()) {
      return closed(dataset_, decision_, order[i].field, "order[" + std::to_string(i) + "].field", false);
    }
  }
  if (order.empty()) {
    for (const catalog::SortKey& key : dataset_.order) {
      if (!decision_.fields.at(static_cast<size_t>(key.field)).is_closed())
        order.push_back({key.field, key.descending});
    }
  }
  std::string order_by;
  std::vector<std::string> keys;
  std::vector<bool> descending;
  for (const OrderKey& key : order) {
    std::string sort = view_.sort(key.field);
    if (sort == "NULL") continue;  // shows nothing on any row, so it orders nothing; PostgreSQL takes no constant here
    keys.push_back(std::move(sort));
    descending.push_back(key.descending);
    order_by += (order_by.empty() ? "" : ", ") + keys.back() + (key.descending ? " DESC" : " ASC") +
                JW_FAULT(33, " NULLS LAST", " NULLS FIRST");
    plan_->cursor.push_back(selection_.add(keys.back()));
  }
  keys.push_back(statement_.row_id(view_.place()));
  descending.push_back(false);
  order_by += (order_by.empty() ? "" : ", ") + keys.back() + JW_FAULT(34, " ASC", " DESC");
  plan_->cursor.push_back(selection_.add(keys.back()));
  if (has_cursor) where_parts_.push_back(Predicate::depends(after_cursor(keys, descending, cursor_nulls)));

  JsonWriter json(plan_->columns_json);
  json.array();
  for (int field : fields) describe_column(json, dataset_, field);
  json.end_array();
  return finish(selected() + " ORDER BY " + order_by + " LIMIT " + statement_.slot({Slot::Kind::limit}));
}

// What a measure's column is called: the name given, or the function and its field.
Text measure_label(const Measure& measure, const Field* field) {
  if (measure.named) return {measure.as, measure.as};
  static const Text kLabels[] = {{"数量", "Count"},       {"不同值数", "Distinct"}, {"合计", "Sum"},
                                 {"平均", "Average"},     {"最小", "Least"},        {"最大", "Greatest"},
                                 {"占比", "Share"},       {"中位数", "Median"},     {"标准差", "Standard deviation"},
                                 {"分布", "Distribution"}};
  const Text& label = kLabels[static_cast<size_t>(measure.function)];
  if (field == nullptr) return label;
  return {field->label.zh + label.zh, label.en + " of " + field->label.en};
}

bool folds_values(Function function) {
  return function == Function::median || function == Function::stddev || function == Function::histogram;
}

// The statement's columns from which a measure is made; `x` is its value seen in clear, `literal` moves past a share's
// condition.
void Compilation::fill_columns(const Measure& measure, const std::string& x, const Field* f, bool by_value,
                               int64_t& literal, MeasureColumns& columns) {
  switch (measure.function) {
    case Function::count:
      columns.first = plan_->count;
      break;
    case Function::count_distinct:
      if (!by_value) columns.first = selection_.add("CAST(COUNT(DISTINCT " + x + ") AS BIGINT)");
      break;
    case Function::sum:
      columns.first = selection_.add("CAST(SUM(" + x + ") AS BIGINT)");
      columns.printed = printed_of(*f);
      break;
    case Function::avg:
      columns.first = selection_.add("CAST(SUM(" + x + ") AS BIGINT)");
      columns.printed = {Type::decimal, measure.places};
      break;
    case Function::min:
    case Function::max:
      columns.first = selection_.add(std::string(measure.function == Function::min ? "MIN(" : "MAX(") + x + ")");
      columns.printed = printed_of(*f);
      break;
    case Function::share: {
      const Predicate hit = guarded(*measure.where, literal, true);
      columns.first =
          selection_.add("CAST(COALESCE(SUM(CASE WHEN " + hit.text() + " THEN 1 ELSE 0 END), 0) AS BIGINT)");
      columns.printed = {Type::decimal, measure.places};
      break;
    }
    case Function::median:
    case Function::stddev:
      columns.printed = {Type::decimal, measure.places};
      break;
    case Function::histogram:
      columns.printed = printed_of(*f);
      break;
  }
  if (measure.function == Function::avg) columns.second = selection_.add("CAST(COUNT(" + x + ") AS BIGINT)");
}

Result<std::shared_ptr<const Plan>> Compilation::statistics() {
  const auto open_in_clear = [&](int field, const std::string& path) -> Result<Done> {
    const policy::FieldSight& sight = decision_.fields.at(static_cast<size_t>(field));
    if (sight.clear.empty()) return closed(dataset_, decision_, field, path, !sight.masked.empty());
    return Done{};
  };
  JW_CHECK(add_where());
  std::string group_by;
  const auto group = [&](size_t column) { group_by += (group_by.empty() ? "" : ", ") + std::to_string(column + 1); };
  JsonWriter json(plan_->columns_json);
  json.array();
  for (size_t i = 0; i < query_.group.size(); ++i) {
    const int field = query_.group[i];
    JW_CHECK(open_in_clear(field, "group[" + std::to_string(i) + "]"));
    OutColumn out;
    out.field = field;
    out.printed = printed_of(dataset_.fields.at(static_cast<size_t>(field)));
    out.column = selection_.add(view_.cell(field));
    plan_->groups.push_back(out);
    group(out.column);
    describe_column(json, dataset_, field);
  }
  const bool folding = std::any_of(query_.measures.begin(), query_.measures.end(),
                                   [](const Measure& m) { return folds_values(m.function); });
  int64_t literal = query_.where ? static_cast<int64_t>(policy::literal_count(*query_.where)) : 0;
  plan_->count = selection_.add("CAST(COUNT(*) AS BIGINT)");
  for (size_t i = 0; i < query_.measures.size(); ++i) {
    const Measure& measure = query_.measures[i];
    const std::string path = "measures[" + std::to_string(i) + "]";
    if (measure.field >= 0) JW_CHECK(open_in_clear(measure.field, path + ".field"));
    if (measure.where) JW_CHECK(check_open(decision_, *measure.where, path + ".where"));
    const std::string x = measure.field >= 0 ? view_.clear_value(measure.field) : "";
    const Field* f = measure.field >= 0 ? &dataset_.fields.at(static_cast<size_t>(measure.field)) : nullptr;
    MeasureColumns columns;
    columns.printed = {Type::integer, 0};
    const bool by_value = folds_values(measure.function) || (folding && measure.function == Function::count_distinct);
    if (by_value) {
      columns.first = selection_.add(x);
      if (std::find(plan_->values.begin(), plan_->values.end(), columns.first) == plan_->values.end()) {
        plan_->values.push_back(columns.first);
        group(columns.first);
      }
    }
    fill_columns(measure, x, f, by_value, literal, columns);
    plan_->measures.push_back(columns);
    json.object().field("name", measure.as);
    json.field("label", measure_label(measure, f));
    json.field("type", measure.function == Function::histogram ? std::string_view("histogram")
                                                               : catalog::type_name(columns.printed.type));
    if (columns.printed.type == Type::decimal) json.field("places", columns.printed.places);
    json.field("level", f == nullptr ? 1 : static_cast<int>(f->level)).end_object();
  }
  json.end_array();
  // A few more than allowed, so that too many is noticed rather than cut.
  return finish(selected() + (group_by.empty() ? "" : " GROUP BY " + group_by) + " LIMIT " +
                statement_.slot({Slot::Kind::limit}));
}

// Of each group the persons, and whether each belongs to a part of it of which a measure tells: rows that a share's
// condition is true of, rows that it is not true of, rows whose value is seen. Out come the persons of groups and parts
// that are few.
Result<std::shared_ptr<const Plan>> Compilation::few() {
  JW_CHECK(add_where());
  std::string keys, ordinals;
  for (const int field : query_.group) {
    const size_t column = selection_.add(view_.cell(field));
    keys += (keys.empty() ? "c" : ", c") + std::to_string(column);
    ordinals += std::to_string(column + 1) + ", ";
  }
  Place subject = view_.place();
  subject.path.insert(subject.path.end(), dataset_.about.begin(), dataset_.about.end());
  const Dataset* persons = &dataset_;
  for (const int hop : dataset_.about)
    persons = &compiler_.catalogue.datasets.at(static_cast<size_t>(persons->fields.at(static_cast<size_t>(hop)).ref));
  const size_t person = selection_.add(statement_.person_id(subject));
  ordinals += std::to_string(person + 1);
  const size_t group =
      persons->group >= 0 ? selection_.add("MIN(" + statement_.stored(subject, persons->group) + ")") : person;
  std::vector<size_t> parts;
  const auto part = [&](const std::string& holds, const char* yes, const char* no) {
    const size_t column =
        selection_.add("MAX(CASE WHEN " + holds + " THEN " + std::string(yes) + " ELSE " + no + " END)");
    if (std::find(parts.begin(), parts.end(), column) == parts.end()) parts.push_back(column);
  };
  int64_t literal = query_.where ? static_cast<int64_t>(policy::literal_count(*query_.where)) : 0;
  for (const Measure& measure : query_.measures) {
    if (measure.field >= 0 && JW_FAULT(94, true, false))
      part("(" + view_.clear_value(measure.field) + ") IS NOT NULL", "1", "0");
    if (!measure.where) continue;
    const std::string hit = guarded(*measure.where, literal, true).text();
    if (JW_FAULT(92, true, false)) part(hit, "1", "0");
    if (JW_FAULT(93, true, false)) part(hit, "0", "1");
  }
  const auto column = [](const char* of, size_t at) { return of + std::to_string(at); };
  const std::string window = keys.empty() ? " OVER ()" : " OVER (PARTITION BY " + keys + ")";
  const std::string most = std::to_string(JW_FAULT(95, few_persons, few_persons + 1));
  std::string counted = column("c", person) + ", COUNT(" + column("c", person) + ")" + window + " AS n",
              wanted = "n <= " + most;
  if (group != person) counted += ", " + column("c", group);
  for (const size_t each : parts) {
    const std::string in_part = column("c", each);
    counted += ", " + in_part + ", SUM(CASE WHEN " + column("c", person) + " IS NULL THEN 0 ELSE " + in_part + " END)" +
               window + " AS " + column("n", each);
    wanted += " OR (" + in_part + " = 1 AND " + column("n", each) + " <= " + most + ")";
  }
  plan_->person = 0;
  plan_->group = group != person ? 1 : -1;
  return finish("SELECT DISTINCT " + column("c", person) + (group != person ? ", " + column("c", group) : "") +
                " FROM (SELECT " + counted + " FROM (" + selected() + " GROUP BY " + ordinals + ") q) r WHERE " +
                column("c", person) + " IS NOT NULL AND (" + wanted + ") LIMIT " +
                statement_.slot({Slot::Kind::limit}));
}

}  // namespace

std::string hidden_json(const Decision& decision, const Plan& plan) {
  std::string out;
  JsonWriter json(out);
  json.object();
  for (const HiddenField& hidden : plan.hidden) describe_hidden(json, decision, hidden);
  json.end_object();
  return out;
}

Result<std::shared_ptr<const Plan>> compile(const Compiler& compiler, const Query& query, const Decision& decision,
                                            const std::vector<bool>& cursor_nulls, bool has_cursor) {
  if (!query.is_statistics()) return Compilation(compiler, query, decision).list(cursor_nulls, has_cursor);
  JW_TRY(const std::shared_ptr<const Plan> plan, Compilation(compiler, query, decision).statistics());
  if (!plan->about_others) return plan;
  auto whole = std::make_shared<Plan>(*plan);
  JW_TRY(whole->few, Compilation(compiler, query, decision).few());
  return std::shared_ptr<const Plan>(std::move(whole));
}

}  // namespace jw::query
