// The seat-belt of PostgreSQL (docs/adr/0011): a role of its own for reading connections, and rows that appear only in
// sealed sessions. Inside platform/db only.
//
// A session is sealed when it has a temporary table `jiaowu_seal`; the policy of every sealed table asks for nothing
// else, which costs next to nothing in a statement. The reading role may make no temporary tables: for it one is made
// by jiaowu_belt.open(), which wants an HMAC over the session's process id with a key that only the owner can read. The
// owner's sessions make theirs themselves: there the seal is against mistakes, not against the owner.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/db/api.hpp"

namespace jw::db {

constexpr const char* kSealOwnSession = "CREATE TEMP TABLE IF NOT EXISTS jiaowu_seal ()";

struct ReadingRole {
  std::string name;
  std::string password;  // empty: an administrator made the role, and libpq is to find its password (~/.pgpass)
  std::string key;       // of the seal: 32 bytes
};

struct Fastening {
  std::optional<ReadingRole> role;
  std::vector<Text> loose;
};

// "jiaowu_engine_" and the name of the database: roles belong to the whole server.
std::string reading_role_name(std::string_view database);

// What the server keeps of a password (never the password itself: statements are logged).
using Verifier = std::function<std::string(const std::string& role, const std::string& password)>;

// Makes or mends role, key, function, grants and policies. `owner`: a writer, outside a transaction.
Fastening fasten_postgres(Connection& owner, const Belt& belt, const Verifier& verifier);

// Seals a session of the reading role. Throws Error (forbidden) when the server does not accept the key.
void seal_session(Connection& reader, const ReadingRole& role);

// What is wrong with the reading role, asked in a session of its own.
std::vector<Text> weaknesses(Connection& reader, const ReadingRole& role);

}  // namespace jw::db
