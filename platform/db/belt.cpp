#include "platform/db/belt.hpp"

#include <sodium.h>

#include <array>

namespace jw::db {
namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kBlockBytes = 64;  // of SHA-256

// HMAC-SHA-256 by hand, as PostgreSQL has SHA-256 alone; the two pads are the key, mixed as RFC 2104 says.
constexpr std::string_view kMake = R"(
CREATE SCHEMA IF NOT EXISTS jiaowu_belt;
REVOKE ALL ON SCHEMA jiaowu_belt FROM PUBLIC;
CREATE TABLE IF NOT EXISTS jiaowu_belt.key (id BIGINT PRIMARY KEY CHECK (id = 1), seal BYTEA NOT NULL,
  inner_pad BYTEA NOT NULL, outer_pad BYTEA NOT NULL, password TEXT NOT NULL);
REVOKE ALL ON jiaowu_belt.key FROM PUBLIC;
CREATE OR REPLACE FUNCTION jiaowu_belt.open(until BIGINT, token BYTEA) RETURNS BOOLEAN
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $open$
DECLARE known jiaowu_belt.key%ROWTYPE;
BEGIN
  SELECT * INTO STRICT known FROM jiaowu_belt.key WHERE id = 1;
  -- Only what is certainly right goes on: NULL is not.
  IF until BETWEEN extract(epoch FROM clock_timestamp()) AND extract(epoch FROM clock_timestamp()) + 120
     AND token = sha256(known.outer_pad ||
                        sha256(known.inner_pad || convert_to(pg_backend_pid() || '/' || until, 'UTF8'))) THEN
    CREATE TEMP TABLE IF NOT EXISTS jiaowu_seal ();
    RETURN true;
  END IF;
  RETURN false;
END
$open$;
REVOKE ALL ON FUNCTION jiaowu_belt.open(BIGINT, BYTEA) FROM PUBLIC;
)";

// IS NOT NULL stands outside: the planner takes it for true nearly always, a bare truth value for true half the time,
// and would reckon with half the rows of every table.
constexpr std::string_view kSeal = R"(
DO $seal$
DECLARE one regclass;
BEGIN
  FOREACH one IN ARRAY CAST(ARRAY[{ALL}] AS regclass[]) LOOP
    IF NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = one AND polname = 'jiaowu_seal') THEN
      EXECUTE format('CREATE POLICY jiaowu_seal ON %s USING ((SELECT to_regclass(''pg_temp.jiaowu_seal'')) IS NOT NULL)',
                     one);
    END IF;
    IF NOT (SELECT relrowsecurity FROM pg_class WHERE oid = one) THEN
      EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', one);
    END IF;
  END LOOP;
  FOREACH one IN ARRAY CAST(ARRAY[{FORCED}] AS regclass[]) LOOP
    IF NOT (SELECT relforcerowsecurity FROM pg_class WHERE oid = one) THEN
      EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', one);
    END IF;
  END LOOP;
END
$seal$;
)";

std::string identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) out.append(c == '"' ? 2 : 1, c);
  return out + '"';
}

// record.access_log -> "record"."access_log"
std::string table(std::string_view name) {
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return identifier(name);
  return identifier(name.substr(0, dot)) + "." + identifier(name.substr(dot + 1));
}

std::string literal(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + '\'';
}

void replace(std::string& text, std::string_view what, const std::string& with) {
  const size_t at = text.find(what);
  text.replace(at, what.size(), with);
}

template <class Names>
std::string list(const Names& names, std::string (*print)(std::string_view)) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + print(name);
  return out;
}

std::string random_bytes(size_t count) {
  std::string bytes(count, '\0');
  randombytes_buf(bytes.data(), count);
  return bytes;
}

std::string hex(std::string_view bytes) {
  std::string out(2 * bytes.size() + 1, '\0');
  sodium_bin2hex(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  out.pop_back();
  return out;
}

std::string padded(std::string key, unsigned char with) {
  key.resize(kBlockBytes, '\0');
  for (char& c : key) c = static_cast<char>(static_cast<unsigned char>(c) ^ with);
  return key;
}

bool is_true(Connection& connection, std::string_view sql, std::initializer_list<Param> params = {}) {
  Rows rows = connection.query(sql, params);
  return rows.next() && rows.integer(0) != 0;
}

class Fastener {
 public:
  Fastener(Connection& owner, const Belt& belt, const Verifier& verifier)
      : owner_(owner), belt_(belt), verifier_(verifier) {}

  Fastening run() {
    look();
    step([this] { make_key(); },
         {"无法在数据库中建立 jiaowu_belt（连接的账号须拥有数据库）",
          "cannot make jiaowu_belt in the database (the connected role must own the database)"});
    if (role_.key.empty()) return std::move(result_);
    step([this] { seal(); }, {"无法给数据表加行级保护（连接的账号须拥有这些表）",
                              "cannot put row security on the tables (the connected role must own them)"});
    if (make_role()) {
      step(
          [this] {
            grant();
            result_.role = role_;
          },
          {"无法授权给查询专用角色（连接的账号须拥有这些表）",
           "cannot grant to the reading role (the connected role must own the tables)"});
    }
    return std::move(result_);
  }

 private:
  // The tables of the belt that are there: some are made after others, by whoever starts later.
  void look() {
    for (const auto& [name, columns] : belt_.readers.columns) {
      if (is_true(owner_, "SELECT to_regclass($1) IS NOT NULL", {table(name)})) tables_[name] = columns;
    }
  }

  // One transaction, one node at a time. A lost connection is no looseness.
  template <class Do>
  bool step(const Do& what, Text loose) {
    try {
      Transaction transaction(owner_, Transaction::Mode::write);
      owner_.script("SELECT pg_advisory_xact_lock(7217302)");
      what();
      transaction.commit();
      return true;
    } catch (const Error& error) {
      if (error.failure() != Failure::forbidden && error.failure() != Failure::statement) throw;
      result_.loose.push_back(std::move(loose));
      return false;
    }
  }

  void make_key() {
    owner_.script(kMake);
    const std::string key = random_bytes(kKeyBytes), inner = padded(key, 0x36), outer = padded(key, 0x5c);
    owner_.execute(
        "INSERT INTO jiaowu_belt.key (id, seal, inner_pad, outer_pad, password) VALUES (1, $1, $2, $3, '') "
        "ON CONFLICT (id) DO NOTHING",
        {Param::blob(key), Param::blob(inner), Param::blob(outer)});
    Rows rows =
        owner_.query("SELECT seal, password, CAST(current_database() AS TEXT) FROM jiaowu_belt.key WHERE id = 1");
    rows.next();
    role_.password = rows.text(1);
    role_.name = reading_role_name(rows.text(2));
    database_ = rows.text(2);
    role_.key = rows.blob(0);
  }

  void seal() {
    std::vector<std::string> all, forced;
    for (const auto& [name, columns] : tables_) all.push_back(table(name));
    for (const std::string& name : belt_.sealed) {
      if (tables_.contains(name)) forced.push_back(table(name));
    }
    std::string script(kSeal);
    replace(script, "{ALL}", list(all, literal));
    replace(script, "{FORCED}", list(forced, literal));
    owner_.script(script);
  }

  bool role_is_there() { return is_true(owner_, "SELECT true FROM pg_roles WHERE rolname = $1", {role_.name}); }

  // Whether there is a role to grant to.
  bool make_role() {
    const bool there = role_is_there();
    if (there && !role_.password.empty()) return true;
    const bool may_make =
        is_true(owner_, "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user");
    if (!may_make) {
      if (!there) result_.loose.push_back(no_role());
      return there;
    }
    return step([this] { make_or_take_role(); }, no_role()) || there;
  }

  void make_or_take_role() {
    const std::string name = identifier(role_.name), password = hex(random_bytes(kKeyBytes));
    owner_.script((role_is_there() ? "ALTER ROLE " : "CREATE ROLE ") + name + " LOGIN NOINHERIT PASSWORD " +
                  literal(verifier_(role_.name, password)));
    owner_.script("ALTER ROLE " + name + " SET default_transaction_read_only = on");
    owner_.script("ALTER ROLE " + name + " SET statement_timeout = '60s'");
    owner_.script("ALTER ROLE " + name + " SET idle_in_transaction_session_timeout = '60s'");
    owner_.execute("UPDATE jiaowu_belt.key SET password = $1 WHERE id = 1", {password});
    role_.password = password;
  }

  void grant() {
    const std::string to = identifier(role_.name);
    Reach::Names schemas{"jiaowu_belt"};
    {
      Rows rows = owner_.query("SELECT CAST(current_schema() AS TEXT)");
      rows.next();
      schemas.insert(std::string(rows.text(0)));
    }
    for (const auto& [name, columns] : tables_) {
      if (const size_t dot = name.find('.'); dot != std::string::npos) schemas.insert(name.substr(0, dot));
    }
    const std::string all_schemas = list(schemas, identifier);
    std::string script = "REVOKE ALL ON ALL TABLES IN SCHEMA " + all_schemas + " FROM " + to + ";" +
                         "GRANT USAGE ON SCHEMA " + all_schemas + " TO " + to + ";" +
                         "GRANT EXECUTE ON FUNCTION jiaowu_belt.open(BIGINT, BYTEA) TO " + to + ";" +
                         "REVOKE TEMPORARY ON DATABASE " + identifier(database_) + " FROM PUBLIC;" +
                         "REVOKE CREATE ON SCHEMA " + all_schemas + " FROM PUBLIC;";
    for (const auto& [name, columns] : tables_) {
      if (!columns.empty())
        script += "GRANT SELECT (" + list(columns, identifier) + ") ON " + table(name) + " TO " + to + ";";
    }
    owner_.script(script);
  }

  Text no_role() const {
    return {"数据库中没有查询专用角色 " + role_.name +
                "，且连接的账号无权建立：查询将以表的所有者身份只读进行，少一道防护。请数据库管理员按 docs/deploy.md "
                "建立该角色后重启",
            "there is no reading role " + role_.name +
                " in the database and the connected role may not make it: queries run read-only as the owner of the "
                "tables, one belt fewer. Have an administrator make the role as docs/deploy.md shows, then restart"};
  }

  Connection& owner_;
  const Belt& belt_;
  const Verifier& verifier_;
  std::map<std::string, Reach::Names> tables_;
  ReadingRole role_;
  std::string database_;
  Fastening result_;
};

}  // namespace

std::string reading_role_name(std::string_view database) {
  constexpr size_t kNameMax = 63;  // PostgreSQL cuts longer names off
  std::string name = "jiaowu_engine_" + std::string(database);
  if (name.size() <= kNameMax) return name;
  std::array<unsigned char, crypto_hash_sha256_BYTES> digest{};
  crypto_hash_sha256(digest.data(), reinterpret_cast<const unsigned char*>(database.data()), database.size());
  return "jiaowu_engine_" + hex({reinterpret_cast<const char*>(digest.data()), 16});
}

Fastening fasten_postgres(Connection& owner, const Belt& belt, const Verifier& verifier) {
  return Fastener(owner, belt, verifier).run();
}

void seal_session(Connection& reader, const ReadingRole& role) {
  int64_t until = 0;
  std::string message;
  {
    Rows rows = reader.query("SELECT pg_backend_pid(), CAST(extract(epoch FROM clock_timestamp()) AS BIGINT) + 60");
    rows.next();
    until = rows.integer(1);
    message = std::to_string(rows.integer(0)) + "/" + std::to_string(until);
  }
  std::string token(crypto_auth_hmacsha256_BYTES, '\0');
  crypto_auth_hmacsha256(reinterpret_cast<unsigned char*>(token.data()),
                         reinterpret_cast<const unsigned char*>(message.data()), message.size(),
                         reinterpret_cast<const unsigned char*>(role.key.data()));
  if (!is_true(reader, "SELECT jiaowu_belt.open($1, $2)", {until, Param::blob(token)})) {
    throw Error(Failure::forbidden, "the seal's key is not the one in the database");
  }
}

std::vector<Text> weaknesses(Connection& reader, const ReadingRole& role) {
  std::vector<Text> found;
  if (is_true(
          reader,
          "SELECT r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR "
          "EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid) OR "
          "EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid) FROM pg_roles r WHERE r.rolname = current_user")) {
    found.push_back(
        {"查询专用角色 " + role.name +
             " 权力过大：不应是超级用户，不应有 BYPASSRLS、CREATEROLE、CREATEDB、"
             "REPLICATION，不应属于其他角色或拥有表",
         "the reading role " + role.name +
             " is too strong: it must be no superuser, without BYPASSRLS, CREATEROLE, CREATEDB, REPLICATION, "
             "member of no role and owner of no table"});
  }
  if (is_true(reader, "SELECT has_database_privilege(current_database(), 'TEMPORARY')")) {
    found.push_back({"查询专用角色 " + role.name +
                         " 仍可建临时表，请数据库管理员收回：REVOKE TEMPORARY ON DATABASE … FROM "
                         "PUBLIC",
                     "the reading role " + role.name +
                         " may still make temporary tables; have an administrator REVOKE TEMPORARY ON DATABASE … FROM "
                         "PUBLIC"});
  }
  return found;
}

}  // namespace jw::db
