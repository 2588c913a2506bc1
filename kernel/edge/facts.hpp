// Facts about the store itself, and of persons whatever dataset they stand in.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "kernel/catalog/api.hpp"
#include "platform/db/api.hpp"

namespace jw::edge {

// Table store_fact; empty when absent.
std::string store_fact(db::Connection& connection, std::string_view name);
void set_store_fact(db::Connection& transaction, std::string_view name, std::string_view value);

// The number (natural key) of a person in the first dataset of persons that has the row; empty: in none.
std::string number_of_person(const catalog::Catalogue& catalogue, db::Connection& connection, int64_t person);
// 0: nobody has this number.
int64_t person_of_number(const catalog::Catalogue& catalogue, db::Connection& connection, std::string_view number);
// Under `email` in the first dataset of persons that has one; nullopt for a closed account, too.
std::optional<std::string> mail_address(const catalog::Catalogue& catalogue, db::Connection& connection,
                                        int64_t account);

}  // namespace jw::edge
