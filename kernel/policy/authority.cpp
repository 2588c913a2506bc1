// Deciding: which permits and forbids of a holder apply to a dataset, an action and a purpose.
#include <algorithm>

#include "base/fault.hpp"
#include "base/json.hpp"
#include "kernel/catalog/condition.hpp"
#include "kernel/policy/api.hpp"

namespace jw::policy {

using catalog::Dataset;

namespace {

bool serves_purpose(const Atom& atom, const std::string& purpose) {
  if (purpose.empty()) return JW_FAULT(21, atom.grant.empty(), true);  // under a grant the purpose must be stated
  return atom.purposes.empty() || std::find(atom.purposes.begin(), atom.purposes.end(), purpose) != atom.purposes.end();
}

bool allows(const Atom& atom, Action action) {
  return (atom.actions >> static_cast<int>(action) & 1) != 0;
}

void append_atom_shape(std::string& out, const Atom& atom) {
  append_number(out, static_cast<int>(atom.rows));
  append_number(out, atom.rows == Atom::Rows::relation ? atom.relation : -1);
  append_number(out, atom.has_condition());
  if (atom.has_condition()) append_shape(out, atom.where);
  for (Sight sight : atom.fields) out += JW_FAULT(24, static_cast<char>('0' + static_cast<int>(sight)), '?');
  out += ';';
}

std::string scope_json(const catalog::Catalogue& catalogue, const Decision& decision) {
  Text text;
  std::vector<std::string> seen;
  std::string basis;
  JsonWriter json(basis);
  json.array();
  for (const Atom* atom : decision.permits) {
    const Text words = rows_in_words(catalogue, *decision.dataset, *atom);
    if (std::find(seen.begin(), seen.end(), "w" + words.zh) == seen.end()) {
      seen.push_back("w" + words.zh);
      text.zh += (text.zh.empty() ? "" : "；") + words.zh;
      text.en += (text.en.empty() ? "" : "; ") + words.en;
    }
    const std::string mark = "b" + atom->clause + "/" + atom->grant + "/" + words.zh;
    if (std::find(seen.begin(), seen.end(), mark) != seen.end()) continue;
    seen.push_back(mark);
    json.object();
    if (atom->grant.empty()) {
      json.field("clause", atom->clause);
    } else {
      json.field("grant", atom->grant).field("clause", atom->clause).field("until", Instant{atom->until_us}.print());
    }
    json.field("text", words).end_object();
  }
  json.end_array();
  std::string out;
  JsonWriter(out).object().field("text", text).key("basis").raw(basis).end_object();
  return out;
}

}  // namespace

Text rows_in_words(const catalog::Catalogue& catalogue, const Dataset& dataset, const Atom& atom) {
  switch (atom.rows) {
    case Atom::Rows::all:
      return {"全部" + dataset.label.zh, "all of " + dataset.label.en};
    case Atom::Rows::relation: {
      const Text& label = catalogue.relations.at(static_cast<size_t>(atom.relation)).label;
      const Text whole{label.zh + "的" + dataset.label.zh, dataset.label.en + " of " + label.en};
      if (!atom.narrowed) return whole;
      const Text words = catalog::describe_condition(catalogue, dataset, atom.where);
      return {whole.zh + "（" + words.zh + "）", whole.en + " (" + words.en + ")"};
    }
    case Atom::Rows::where: {
      if (!atom.text.zh.empty())
        return {dataset.label.zh + "（" + atom.text.zh + "）", dataset.label.en + " (" + atom.text.en + ")"};
      const Text words = catalog::describe_condition(catalogue, dataset, atom.where);
      return {dataset.label.zh + "（" + words.zh + "）", dataset.label.en + " (" + words.en + ")"};
    }
  }
  return {};
}

Remedy access_remedy(const Dataset& dataset, const std::vector<std::string>& fields, Action action,
                     const std::string& purpose) {
  Remedy remedy;
  remedy.clause = "2.4.1";
  remedy.kind = "access";
  remedy.text = {
      "可填写《教务系统查询权限申请表》申请：写明内容、目的和使用期限，经本部门负责人审核签字后由教务处审批（§2.4."
      "1、§2.4.2）",
      "apply with the access application form: state content, purpose and period; the head of your department signs, "
      "then the academic "
      "affairs office decides (§2.4.1, §2.4.2)"};
  JsonWriter json(remedy.prefill_json);
  json.object().field("dataset", dataset.name).key("fields").array();
  for (const std::string& field : fields) json.value(field);
  json.end_array().key("actions").array().value(action_name(action)).end_array();
  json.field("purpose", purpose.empty() ? std::string("teaching_administration") : purpose).end_object();
  return remedy;
}

namespace {

// Who may enter or review rows of a dataset by the regulation.
Text writers_in_words(const Regulation& regulation, const Dataset& dataset, Action action) {
  Text posts;
  for (size_t i = 0; i < regulation.posts.size(); ++i) {
    const bool named = std::any_of(regulation.atoms.begin(), regulation.atoms.end(), [&](const Atom& atom) {
      return atom.effect == Effect::permit && atom.dataset == dataset.index && atom.post == static_cast<int>(i) &&
             allows(atom, action);
    });
    if (!named) continue;
    posts.zh += (posts.zh.empty() ? "" : "、") + regulation.posts[i].label.zh;
    posts.en += (posts.en.empty() ? "" : ", ") + regulation.posts[i].label.en;
  }
  const bool enter = action == Action::enter;
  if (posts.zh.empty()) {
    return {"目前没有岗位可以" + std::string(enter ? "录入" : "审核") + "“" + dataset.label.zh + "”",
            "at present no post may " + std::string(enter ? "enter " : "review ") + dataset.label.en};
  }
  return {"“" + dataset.label.zh + "”由“" + posts.zh + "”" + (enter ? "录入" : "审核"),
          dataset.label.en + " is " + (enter ? "entered" : "reviewed") + " by " + posts.en};
}

}  // namespace

Authority::Authority(std::shared_ptr<const Rules> rules, std::vector<HeldPost> posts, std::vector<const Atom*> in_force,
                     std::vector<const Atom*> out_of_force)
    : rules_(std::move(rules)),
      posts_(std::move(posts)),
      in_force_(std::move(in_force)),
      out_of_force_(std::move(out_of_force)) {}

const Decision& Authority::decide(const Dataset& dataset, Action action, const std::string& purpose) const {
  const std::tuple key{dataset.index, action, purpose};
  {
    const std::shared_lock lock(mutex_);
    const auto known = decisions_.find(key);
    if (known != decisions_.end()) return *known->second;
  }
  std::unique_ptr<Decision> made = make(dataset, action, purpose);
  const std::unique_lock lock(mutex_);
  // Purposes come from outside: a stranger's inventions must not fill the memory.
  if (decisions_.size() > 4096) throw std::length_error("too many different purposes");
  return *decisions_.try_emplace(key, std::move(made)).first->second;
}

std::unique_ptr<Decision> Authority::make(const Dataset& dataset, Action action, const std::string& purpose) const {
  auto decision = std::make_unique<Decision>();
  decision->dataset = &dataset;
  decision->action = action;
  decision->purpose = purpose;
  decision->fields.resize(dataset.fields.size());
  for (const Atom* atom : in_force_) {
    if (atom->effect == Effect::permit && atom->dataset == dataset.index && allows(*atom, action) &&
        serves_purpose(*atom, purpose)) {
      decision->permits.push_back(atom);
    }
  }
  if (decision->permits.empty()) {
    decision->refusal = refuse(dataset, action, purpose);
    return decision;
  }
  if (purpose.empty()) {
    const auto& first = decision->permits.front()->purposes;
    decision->purpose = first.empty() ? "teaching_administration" : first.front();
  }
  // A permit on all rows that shows at least as much makes others redundant only field by field; the lowering folds
  // that.
  decision->own_only = true;
  std::string& shape = decision->shape;
  // The version, as settings are part of a statement.
  append_number(shape, rules_->regulation().version);
  append_number(shape, dataset.index);
  append_number(shape, static_cast<int64_t>(decision->permits.size()));
  for (size_t i = 0; i < decision->permits.size(); ++i) {
    const Atom& atom = *decision->permits[i];
    decision->permit_literals.push_back(static_cast<int64_t>(decision->literals.size()));
    if (atom.has_condition()) collect_literals(atom.where, decision->literals);
    for (size_t f = 0; f < dataset.fields.size(); ++f) {
      if (atom.fields[f] == Sight::clear) decision->fields[f].clear.push_back(static_cast<int>(i));
      // What is seen by its mask is written by nobody.
      if (atom.fields[f] == Sight::masked && JW_FAULT(58, is_reading(action), true))
        decision->fields[f].masked.push_back(static_cast<int>(i));
    }
    const bool own = atom.rows == Atom::Rows::relation &&
                     rules_->catalogue().relations.at(static_cast<size_t>(atom.relation)).of < 0;
    decision->own_only = decision->own_only && JW_FAULT(48, own, true);
    append_atom_shape(shape, atom);
    const std::string mark = atom.grant.empty() ? "§" + atom.clause : "grant:" + atom.grant;
    if (("," + decision->basis + ",").find("," + mark + ",") == std::string::npos) {
      decision->basis += (decision->basis.empty() ? "" : ",") + mark;
    }
    if (atom.post >= 0) {
      const std::string& post = rules_->regulation().posts.at(static_cast<size_t>(atom.post)).name;
      if (("," + decision->post + ",").find("," + post + ",") == std::string::npos) {
        decision->post += (decision->post.empty() ? "" : ",") + post;
        for (const HeldPost& held : posts_) {
          if (held.post == atom.post && !held.units.empty() && decision->unit.empty())
            decision->unit = held.units.front();
        }
      }
    }
  }
  for (const Atom* atom : in_force_) {
    if (atom->effect != Effect::forbid || !JW_FAULT(22, allows(*atom, action), atom->dataset == dataset.index))
      continue;
    decision->forbids[atom->dataset].push_back({atom, static_cast<int64_t>(decision->literals.size())});
    if (atom->has_condition()) collect_literals(atom->where, decision->literals);
    if (JW_FAULT(23, false, true)) continue;
    append_number(shape, atom->dataset);
    append_atom_shape(shape, *atom);
  }
  decision->scope_json = scope_json(rules_->catalogue(), *decision);
  return decision;
}

Refusal Authority::refuse(const Dataset& dataset, Action action, const std::string& purpose) const {
  Refusal refusal;
  refusal.code = Code::forbidden;
  refusal.type = "policy.no_permit";
  if (!is_reading(action)) {
    refusal.remedy = Remedy{
        action == Action::enter ? "4.1.2" : "4.2.1", writers_in_words(rules_->regulation(), dataset, action), {}, {}};
  } else {
    refusal.remedy = access_remedy(dataset, {}, action, purpose);
  }
  // The nearest thing that would have allowed it: same dataset, missing only purpose, action or time.
  for (const Atom* atom : in_force_) {
    if (atom->effect != Effect::permit || atom->dataset != dataset.index) continue;
    if (!allows(*atom, action)) {
      refusal.type = "policy.action_closed";
      refusal.detail = {
          "现有权限不包含对“" + dataset.label.zh + "”的这种操作（" + std::string(action_name(action)) + "）",
          "the permission held for " + dataset.label.en + " does not include this action (" +
              std::string(action_name(action)) + ")"};
      continue;
    }
    refusal.type = purpose.empty() ? "policy.purpose_required" : "policy.purpose_closed";
    std::string purposes;
    for (const std::string& allowed : atom->purposes) purposes += (purposes.empty() ? "" : ", ") + allowed;
    refusal.detail = {"该权限须声明许可的目的（purpose）：" + purposes,
                      "this permission needs one of its purposes to be stated: " + purposes};
    return refusal;
  }
  if (!refusal.detail.zh.empty()) return refusal;
  for (const Atom* atom : out_of_force_) {
    if (atom->effect != Effect::permit || atom->dataset != dataset.index) continue;
    refusal.type = "policy.out_of_time";
    const std::string from = Instant{atom->from_us}.date().print(), until = Instant{atom->until_us}.date().print();
    refusal.detail = {"授权 " + atom->grant + " 的使用期限为 " + from + " 至 " + until + "，现不在期限内",
                      "grant " + atom->grant + " is valid from " + from + " until " + until + ", not now"};
    return refusal;
  }
  for (const HeldPost& held : posts_) {
    const Post& post = rules_->regulation().posts.at(static_cast<size_t>(held.post));
    if (post.refusal) {
      refusal.detail = *post.refusal;
      refusal.remedy->clause = post.clause;
      refusal.remedy->text = *post.refusal;
      return refusal;
    }
  }
  std::string zh, en;
  for (const HeldPost& held : posts_) {
    const Post& post = rules_->regulation().posts.at(static_cast<size_t>(held.post));
    zh += (zh.empty() ? "" : "、") + post.label.zh;
    en += (en.empty() ? "" : ", ") + post.label.en;
  }
  if (!is_reading(action)) {
    refusal.detail = refusal.remedy->text;
  } else if (zh.empty()) {
    refusal.detail = {
        "您目前没有任何查询身份（可能已离校、离职或毕业查询期限已过），不能查询“" + dataset.label.zh + "”",
        "you hold no post at present (left, or the graduates' period is over), so " + dataset.label.en +
            " is closed to you"};
  } else {
    refusal.detail = {
        "按规定，“" + zh + "”的默认权限不包括“" + dataset.label.zh + "”，也没有生效的授权",
        "the default permissions of " + en + " do not include " + dataset.label.en + ", and no grant is in force"};
  }
  return refusal;
}

}  // namespace jw::policy
