// What somebody may query anyway, in clear and on all rows there are: the only ground on which a number about
// permissions may rest (design §4). Whoever is told how many hold a post, or gain a row, is told about every field of
// every condition behind it, relations followed: `adult` tells dates of birth. Not for other folders.
#pragma once

#include <set>

#include "kernel/policy/api.hpp"

namespace jw::query {

// Of whoever looks, under the rules in force.
policy::AuthorityPtr authority_of(db::Connection& reader, const std::shared_ptr<const policy::Rules>& rules,
                                  const policy::Asker& viewer, Instant now);

class Known {
 public:
  // Borrows `viewing`: the viewer's authority, under the rules in force.
  Known(const catalog::Catalogue& catalogue, const policy::Authority& viewing)
      : catalogue_(catalogue), viewing_(viewing) {}

  bool field(const catalog::Dataset& dataset, int field) const;
  // Everything a condition over this dataset asks for.
  bool condition(const catalog::Dataset& dataset, const catalog::Condition& condition) const;
  bool relation(int index) const;
  // The further hops of a path of refs; the first one stands in the row itself.
  bool beyond(const catalog::Dataset& dataset, const std::vector<int>& path) const;
  // Which rows a permit opens, or a forbid closes.
  bool rows(const policy::Atom& atom) const;
  // Who holds this post.
  bool post(const policy::Regulation& regulation, int post) const;
  // Who holds a post that is set apart, which closes academic data.
  bool apart(const policy::Regulation& regulation) const;
  // Which accounts have grants.
  bool grants() const;
  // Who holds what a permit or forbid asks of whoever has it: its post; of a grant, any post in its unit.
  bool posts_of(const policy::Regulation& regulation, const policy::Atom& atom) const;
  // Whom a permit or forbid is given to.
  bool holders(const policy::Regulation& regulation, const policy::Atom& atom) const {
    return (atom.post >= 0 || grants()) && posts_of(regulation, atom);
  }

 private:
  const catalog::Catalogue& catalogue_;
  const policy::Authority& viewing_;
};

}  // namespace jw::query
