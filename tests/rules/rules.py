#!/usr/bin/env python3
"""Style as a test: what CONTRIBUTING.md asks of the tree, checked. `rules.py` checks the tree it stands in.

A rule takes a Tree, says of each subject that it looks at it, and yields problems: (path, line, text), and a word for what
is wrong where several things of one file can be. A rule that looked at nothing has failed. exemptions.toml lets single
problems pass, until nothing needs the row any more. Each rule has a bad sample in samples/; rules_test.py sees to that.
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "docs")]
import clauses as citing  # noqa: E402
from sources import (INCLUDE, calls_of, functions_of, is_sql, line_at, lines_of, literals_of, refusals_of,  # noqa: E402
                     table_under, tables_of)

SAMPLES = "tests/rules/samples/"
EXEMPTIONS = "tests/rules/exemptions.toml"
FLOORS = ["base", "platform", "kernel", "modules", "app"]
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 160  # clang-format breaks at 120; what it cannot break may be a little longer
TEXT_SUFFIXES = set(".cpp .hpp .cmake .txt .md .py .toml .sql .json .ts .vue .mjs .js .css .html .sh".split())


class Tree:
    """Files of a source tree by path, with '/' between folders, and the messages of its commits."""

    def __init__(self, files, messages=()):
        self.files = files
        self.messages = list(messages)
        self.looked = 0  # subjects that the rule under way has looked at

    @staticmethod
    def of(root):
        def git(*arguments):
            command = ["git", "-C", str(root), *arguments]
            return subprocess.run(command, check=True, capture_output=True, text=True).stdout

        files = {}
        for name in git("ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
            path = root / name
            if not name or name.startswith(SAMPLES) or not path.is_file():
                continue
            files[name] = path.read_text(encoding="utf-8") if is_text(name, path) else ""
        return Tree(files, git("log", "--format=%B%x00").split("\0"))

    def look(self):
        self.looked += 1

    def of_suffix(self, *suffixes):
        return ((path, text) for path, text in sorted(self.files.items()) if path.endswith(suffixes))


def is_text(name, path):
    if PurePosixPath(name).suffix in TEXT_SUFFIXES:
        return True
    return PurePosixPath(name).suffix == "" and path.read_bytes()[:2] == b"#!"


# ------------------------------------------------------------------------------------------------------------- floors


def folder_of(path):
    parts = path.split("/")
    if parts[0] not in FLOORS or len(parts) < 2:
        return None
    return parts[0] if parts[0] in ("base", "app") else "/".join(parts[:2])


class Edges:
    def __init__(self, text):
        self.uses, self.public = {}, {}
        for folder, uses, headers in table_under(text, "folder"):
            self.uses[folder] = uses.split()
            self.public[folder] = headers.split()

    def row(self, table, folder):
        return table.get(folder, table.get(folder.split("/")[0] + "/*"))

    def allows(self, user, used):
        named = self.row(self.uses, user) or []
        between_modules = user.startswith("modules/") and used.startswith("modules/")
        return used in named or (used.split("/")[0] + "/*" in named and not between_modules)

    def is_public(self, header):
        folder = folder_of(header)
        public = self.row(self.public, folder) or []
        return header[len(folder) + 1:] in public or f"{folder}/*.hpp" in public




def floors(tree):
    """Include downward only, along the edges and to the public headers of docs/architecture.md."""
    edges = Edges(tree.files.get("docs/architecture.md", ""))
    for path, text in tree.of_suffix(".cpp", ".hpp"):
        folder = folder_of(path)
        if folder is None:
            continue
        tree.look()
        if edges.row(edges.uses, folder) is None:
            yield path, 1, f"the folder {folder} has no row in the table of docs/architecture.md"
            continue
        for number, line in lines_of(text):
            found = INCLUDE.match(line)
            target = found and folder_of(found[1])
            if not target or target == folder:
                continue
            if not edges.allows(folder, target):
                yield path, number, f"{folder} may not use {target} (docs/architecture.md)"
            elif not edges.is_public(found[1]):
                yield path, number, f"{found[1]} is not a public header of {target} (docs/architecture.md)"


def links(tree):
    """The link line of a folder is its row of docs/architecture.md; a module links no more than modules may use."""
    edges = Edges(tree.files.get("docs/architecture.md", ""))
    lists = tree.files.get("CMakeLists.txt", "")
    rows = [("CMakeLists.txt", line, words) for line, words in calls_of(lists, "jw_library")]
    modules = [name for _, names in calls_of(lists, "jw_modules") for name in names]
    for line, words in calls_of(tree.files.get("cmake/floors.cmake", ""), "jw_library"):
        rows += [("cmake/floors.cmake", line, [words[0].replace("${module}", name), *words[1:]]) for name in modules]
    for path, line, (folder, *words) in rows:
        tree.look()
        linked = {word for word in words if word != "LINKS" and "::" not in word}
        for link in sorted(linked):
            if not edges.allows(folder, link):
                yield path, line, f"{folder} may not link {link} (docs/architecture.md)"
        for used in edges.uses.get(folder, []):
            if used not in linked:
                yield path, line, f"{folder} uses {used} by docs/architecture.md and does not link it"


def reaches(tree, path, library, seen):
    """Does this file include boost/LIBRARY, itself or through headers of the tree?"""
    seen.add(path)
    for line in tree.files.get(path, "").split("\n"):
        found = INCLUDE.match(line)
        if not found:
            continue
        if re.match(rf"boost/{library}\b", found[1]):
            return True
        if found[1] in tree.files and found[1] not in seen and reaches(tree, found[1], library, seen):
            return True
    return False


def beast(tree):
    """Beast and Asio each reach at most two .cpp files of the product, and no public header: they are slow to compile."""
    for library in ("beast", "asio"):
        users = []
        for path, _ in tree.of_suffix(".cpp", ".hpp"):
            if folder_of(path) is None:
                continue
            tree.look()
            if not reaches(tree, path, library, set()):
                continue
            if path.endswith(".cpp"):
                users.append(path)
            elif path.endswith("/api.hpp"):
                yield path, 1, f"a public header brings in {library}"
        for path in users[2:]:
            yield path, 1, f"a third file brings in {library}, after {users[0]} and {users[1]}"


# -------------------------------------------------------------------------------------------------------- names, words

BANNED_NAME = re.compile(r"(?i)^(utils?|managers?|helpers?|misc)$")
BANNED_ALONE = re.compile(r"(?i)^commons?$")  # common_passwords says what is inside, common does not


TYPE_NAME = re.compile(r"\s*(?:export\s+)?(?:struct|class|enum(?:\s+class)?|namespace|interface|type)\s+(\w+)")


def words_of(name):
    return re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)


def is_empty_name(name):
    return bool(BANNED_ALONE.match(name)) or any(BANNED_NAME.match(word) for word in words_of(name))


def names(tree):
    """No util, manager, helper, common: such names say nothing of what is inside."""
    for path, text in sorted(tree.files.items()):
        tree.look()
        for part in path.split("/"):
            if is_empty_name(part.split(".")[0]):
                yield path, 1, f"'{part}' says nothing of what is inside"
        if path.endswith((".cpp", ".hpp", ".ts", ".vue", ".py")):
            for number, line in lines_of(text):
                found = TYPE_NAME.match(line)
                if found and is_empty_name(found[1]):
                    yield path, number, f"the name {found[1]} says nothing of what it is"


UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"]) + r")\b")


def unfinished(tree):
    """Nothing on main is marked as unfinished: it is done, or it is an issue."""
    for path, text in sorted(tree.files.items()):
        tree.look()
        for number, line in lines_of(text):
            if UNFINISHED.search(line):
                yield path, number, "open ends belong in an issue, not in the tree"


# Each ban with what to use instead: (expression, where, instead).
BANS = [
    (r"\busing namespace std\s*;", (".cpp", ".hpp"), "the names you need"),
    (r"\bstd::endl\b", (".cpp", ".hpp"), "'\\n'"),
    (r"\b(?:std::)?(?:rand|srand)\s*\(", (".cpp", ".hpp"),
     "platform/crypto, or a seeded std::mt19937_64 where it must repeat"),
    (r"\b(?:strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|strtok)\s*\(", (".cpp", ".hpp"),
     "std::string, std::from_chars"),
    (r"\bsystem_clock::now\b|\bstd::time\s*\(|\bgettimeofday\b", (".cpp", ".hpp"), "jw::Clock"),
    (r"(?i)\b(?:CURRENT_TIMESTAMP|CURRENT_DATE|datetime\('now'|now\(\))", (".sql",),
     "a bound $n: now comes from jw::Clock"),
    (r"\b(?:float|double)\b", (".sql",), "scaled integers"),
    (r"(?i)\bon\s+delete\s+cascade\b", (".sql",), "delete by a change, so that it is recorded"),
    (r"\bEXPECT_TRUE\(true\)|\bSUCCEED\(\)|\bDISABLED_\w|\bassert\.ok\(true\)", (".cpp", ".mjs", ".ts"),
     "a test that can fail"),
    (r"\b(?:it|test|describe)\.(?:only|skip|todo)\b", (".mjs", ".ts"),
     "a test that runs, beside all others"),
    (r"\bv-html\b|\binnerHTML\b", (".vue", ".ts"),
     "text interpolation: nothing from outside becomes markup"),
    (r"\bconsole\.log\b|\bdebugger\b", (".vue", ".ts"), "nothing: remove it"),
    (r"\.catch\(\(\) => (?:\[\]|null|undefined|\(?\{\}\)?)\)", (".vue", ".ts"),
     "the problem, shown: what could not be asked is not empty"),
]


def bans(tree):
    """What has a better form here is not used."""
    for path, text in sorted(tree.files.items()):
        for expression, suffixes, instead in BANS:
            if not path.endswith(suffixes) or path.startswith("tests/rules/"):
                continue
            tree.look()
            for number, line in lines_of(text):
                if re.search(expression, line):
                    yield path, number, f"instead of {re.search(expression, line)[0]!r} use {instead}", instead


# --------------------------------------------------------------------------------------------------------------- sizes


# What returns these is a table of rows in the form of a function; and a row is read by itself.
TABLE_FUNCTION = re.compile(r"\s*std::(?:vector|array|span)<(?:const\s+)?(?:\w+::)?(?:Route|Kind)\b")


def function_length(tree):
    """A function fits on a page."""
    for path, text in tree.of_suffix(".cpp", ".hpp"):
        lines = text.split("\n")
        for first, last, name in functions_of(text):
            tree.look()
            if last - first + 1 > FUNCTION_LINES_MAX and not TABLE_FUNCTION.match(lines[first - 1]):
                yield path, first, f"{name} has {last - first + 1} lines; at most {FUNCTION_LINES_MAX}", name


RAW_STRING = re.compile(r'R"(\w*)\(.*?\)\1"', re.S)


def columns(tree):
    """Lines of code can be read side by side; text kept in raw strings is data."""
    for path, text in tree.of_suffix(".cpp", ".hpp", ".py", ".cmake", "CMakeLists.txt", ".sql", ".ts", ".vue"):
        tree.look()
        code = RAW_STRING.sub(lambda raw: "\n" * raw[0].count("\n"), text) if path.endswith("pp") else text
        for number, line in lines_of(code):
            if len(line) > COLUMNS_MAX:
                yield path, number, f"{len(line)} columns; at most {COLUMNS_MAX}"


def whitespace(tree):
    """No tabs or trailing blanks in code, a newline at the end."""
    suffixes = (".cpp", ".hpp", ".py", ".cmake", "CMakeLists.txt", ".sql", ".toml", ".ts", ".vue", ".mjs")
    for path, text in tree.of_suffix(*suffixes):
        tree.look()
        for number, line in lines_of(text):
            if "\t" in line or line != line.rstrip():
                yield path, number, "a tab or a trailing blank"
        if text and not text.endswith("\n"):
            yield path, text.count("\n") + 1, "no newline at the end"


# ------------------------------------------------------------------------------------------------------------- headers


def headers(tree):
    """A header says first what it is for, and is included once."""
    for path, text in tree.of_suffix(".hpp"):
        if folder_of(path) is None and not path.startswith("tests/"):
            continue
        tree.look()
        if not text.startswith("//"):
            yield path, 1, "a header begins with a comment that says what it is for"
        if not re.search(r"^#pragma once$", text, re.M):
            yield path, 1, "#pragma once is missing"


def dead_files(tree):
    """Nothing lies about: headers are included, SQL is named or a migration, pictures are shown, scripts are called."""
    included = set()
    for path, text in tree.of_suffix(".cpp", ".hpp"):
        included |= {found[1] for found in map(INCLUDE.match, text.split("\n")) if found}
    everything = "\n".join(text for path, text in tree.files.items())
    for path in sorted(tree.files):
        tree.look()
        name = path.rsplit("/", 1)[-1]
        if path.endswith(".hpp") and path not in included and not (path.endswith("/api.hpp")):
            yield path, 1, "no file includes this header"
        if path.endswith(".sql") and "/migrations/" not in path and name not in everything:
            yield path, 1, "nothing names this SQL file"
        if path.startswith("docs/") and path.endswith((".png", ".svg", ".jpg")) and name not in everything:
            yield path, 1, "no page shows this picture"


# ------------------------------------------------------------------------------------------------ catalogue, migrations


# Catalogue and regulation, of the whole and of each procedure.
CATALOGUE = re.compile(r"^(?:modules/\w+/)?catalog/\w+\.toml$")
REGULATION = re.compile(r"^(?:modules/\w+/)?regulation(?:/\w+)?\.toml$")


def texts_in(value, path=""):
    """Every table of a TOML file that is a text for people, with where it stands."""
    if isinstance(value, dict):
        if "zh" in value or "en" in value:
            yield path, value
        else:
            for key, inner in value.items():
                yield from texts_in(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from texts_in(inner, f"{path}[{index}]")


def dataset_problems(path, data):
    if data.get("name") != PurePosixPath(path).stem:
        yield f"the file of dataset {data.get('name')!r} is named after it"
    for needed in ("label", "module", "owner", "key"):
        if needed not in data:
            yield f"a dataset states its {needed}"
    for field in data.get("field", []):
        for needed in ("label", "type", "level"):
            if needed not in field:
                yield f"field {field.get('name')!r} states its {needed}"
    for lookup in data.get("lookup", []):
        if "label" not in lookup or "from" not in lookup:
            yield f"lookup {lookup.get('name')!r} states its label and where it comes from"


def catalogue(tree):
    """Texts of catalogue and regulation are there in Chinese and English; a dataset states what it must."""
    for path, text in tree.of_suffix(".toml"):
        if not path.startswith(("catalog/", "regulation/", "modules/")):
            continue
        tree.look()
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            yield path, 1, f"not TOML: {error}"
            continue
        for where, both in texts_in(data):
            said = all(isinstance(side, str) and side.strip() for side in both.values())
            if set(both) != {"zh", "en"} or not said:
                yield path, 1, f"{where}: a text has zh and en, both said"
        if CATALOGUE.match(path) and "key" in data:
            for problem in dataset_problems(path, data):
                yield path, 1, problem


def clauses(tree):
    """Clauses that are cited exist in docs/regulation.md, and every row of the regulation cites one."""
    known = set(re.findall(r"^\| §?(\d(?:\.\d+)+)", tree.files.get("docs/regulation.md", ""), re.M))
    for path, text in sorted(tree.files.items()):
        if path.startswith("tests/rules/"):
            continue
        tree.look()
        for number, line in lines_of(text):
            cited = re.findall(r"(?<!RFC \d{4} )§(\d\.\d\.\d)\b", line)
            if path.endswith(".toml"):
                cited += re.findall(r'\bclause\s*=\s*"([^"]*)"', line)
            for clause in cited:
                if known and clause not in known:
                    yield path, number, f"§{clause} is not a clause of docs/regulation.md"
        if REGULATION.match(path):
            for kind in ("post", "power", "permit", "forbid", "setting"):
                for row in toml_rows(text, kind):
                    if "clause" not in row:
                        shown = json.dumps(row, ensure_ascii=False, default=str)[:80]
                        yield path, 1, f"a [[{kind}]] without its clause: {shown}"


def glossary(tree):
    """Every dataset is a noun of docs/glossary.md."""
    rows = table_under(tree.files.get("docs/glossary.md", ""), "noun")
    nouns = {noun.strip() for row in rows for noun in row[0].split(",")}
    for path, text in tree.of_suffix(".toml"):
        if CATALOGUE.match(path) and re.search(r"^key\s*=", text, re.M):
            tree.look()
            if PurePosixPath(path).stem not in nouns:
                yield path, 1, f"{PurePosixPath(path).stem} is not in the first table of docs/glossary.md"


def toml_rows(text, kind):
    try:
        rows = tomllib.loads(text).get(kind, [])
    except tomllib.TOMLDecodeError:
        return []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


MIGRATIONS = re.compile(r"^(db|modules/[a-z_]+)/migrations/")
MIGRATION = re.compile(r"^(?:db/migrations/(\d{4})_[a-z]+_|modules/[a-z_]+/migrations/(\d{4})_)[a-z0-9_]+\.sql$")


def migrations(tree):
    """Migrations are numbered without gaps in their folder; those in its released.txt never change again."""
    folders = defaultdict(list)
    for path in sorted(tree.files):
        if MIGRATIONS.match(path):
            tree.look()
            folders[path.rsplit("/", 1)[0]].append(path)
    for folder, paths in sorted(folders.items()):
        numbers = []
        for path in paths:
            found = MIGRATION.match(path)
            if found:
                numbers.append((int(found[1] or found[2]), path))
            elif path.endswith(".sql"):
                yield path, 1, "a migration is called NNNN_<floor>_<what>.sql, that of a module NNNN_<what>.sql"
        for expected, (number, path) in enumerate(numbers, start=1):
            if number != expected:
                yield path, 1, f"the number {expected:04d} comes next"
                break
        released = f"{folder}/released.txt"
        for number, line in lines_of(tree.files.get(released, "")):
            if not line.strip() or line.startswith("#"):
                continue
            digest, name = line.split()
            path = f"{folder}/{name}"
            if path not in tree.files:
                yield released, number, f"{name} was released and is gone"
            elif hashlib.sha256(tree.files[path].encode()).hexdigest() != digest:
                yield path, 1, "a released migration never changes: write the next one"


# ------------------------------------------------------------------------------------------ machines, packages, history

MACHINE_PATH = re.compile(r"(?<![\w./~-])/(?:work|home/\w+|root|Users/\w+|tmp/\w+)/")
REGISTRY = re.compile(
    r"(?i)\b(?:registry|mirrors?)\.[a-z0-9.-]+\.(?:org|com|cn|net|io)\b|\bdeb\.debian\.org\b|\bnpmmirror\b")


def machines(tree):
    """The tree names no path of the machine it was written on and no host that packages come from."""
    for path, text in sorted(tree.files.items()):
        if path.startswith("tests/rules/"):
            continue
        tree.look()
        for number, line in lines_of(text):
            if MACHINE_PATH.search(line):
                yield path, number, "a path of somebody's machine"
            if REGISTRY.search(line):
                yield path, number, "the host of a package registry: that is the reader's to choose"


def lock_files(tree):
    """npm packages are pinned by digest, all that they want included, and the lock says nothing about where they were fetched."""
    for path, text in tree.of_suffix("package-lock.json"):
        packages = json.loads(text).get("packages", {})
        there = {name.rpartition("node_modules/")[2] for name in packages}
        for name, package in packages.items():
            tree.look()
            for wanted in {**package.get("dependencies", {}), **package.get("optionalDependencies", {})}:
                if wanted not in there:
                    yield path, 1, f"{name} wants {wanted}, which the lock does not have: npm ci refuses it"
            if "resolved" in package and not package.get("link"):
                yield path, 1, f"{name} names the host it was fetched from ('resolved')"
            outside = name and not package.get("link") and not package.get("inBundle")
            if outside and "integrity" not in package:
                yield path, 1, f"{name} has no digest ('integrity')"
    for path in sorted(tree.files):
        locked = path.removesuffix("package.json") + "package-lock.json" in tree.files
        if path.rsplit("/", 1)[-1] == "package.json" and not locked:
            yield path, 1, "npm packages without a lock file"


def history(tree):
    """Commit messages say why, in their author's name alone."""
    for message in tree.messages:
        tree.look()
        if re.search(r"(?im)^\s*(co-authored-by|generated[ -](by|with))\b", message):
            yield "(history)", 1, f"a trailer that has no place here: {message.strip().splitlines()[0]!r}"


# --------------------------------------------------------------------------------------------------- modules, SQL, demands


def module_list(tree):
    """A module is its folder and two lines: its name in CMakeLists.txt and its row in app/modules.cpp."""
    built = {name for _, names in calls_of(tree.files.get("CMakeLists.txt", ""), "jw_modules") for name in names}
    listed = set(re.findall(r"\bROW\((\w+)\)", tree.files.get("app/modules.cpp", "")))
    folders = {path.split("/")[1] for path in tree.files if re.match(r"modules/\w+/[^/]+\.cpp$", path)}
    for folder in sorted(folders | built | listed):
        tree.look()
        for path, names in (("modules", folders), ("CMakeLists.txt", built), ("app/modules.cpp", listed)):
            if folder not in names:
                yield path, 1, f"the module {folder} is not there", folder


# What only its own folder may say of a module; of others it is their folder and their namespace.
WORDS = {"lending": r"(?i)lending", "zfsoft": r"(?i)zfsoft"}
SHARED_LISTS = ("app/modules.cpp", "CMakeLists.txt")


def words_of_module(tree, module):
    namespace = "" if any(path.startswith(f"kernel/{module}/") for path in tree.files) else rf"|\b{module}::"
    return re.compile(WORDS.get(module, rf"\bmodules/{module}/" + namespace))


def procedures(tree):
    """No shared file speaks of one procedure: what is a module's stands in its folder."""
    for module in sorted({path.split("/")[1] for path in tree.files if re.match(r"modules/\w+/", path)}):
        own = (f"modules/{module}/", f"web/src/modules/{module}/", "docs/", "tests/", "bench/")
        words = words_of_module(tree, module)
        for path, text in sorted(tree.files.items()):
            if path.startswith(own) or path.endswith((".md", "_test.cpp", "_test.hpp")) or path in SHARED_LISTS:
                continue
            tree.look()
            found = words.search(path) or words.search(text)
            if found:
                line = 1 if words.search(path) else line_at(text, found.start())
                yield path, line, f"{found[0]!r} belongs into modules/{module}", module


# Layout alone: the hand-made faces of some pages, by what one is.
FACES = "web/src/kernel/places.ts"
BY_POST = re.compile(r"\bhas_post\b|\bme(?:\.value)?[!?]?\.posts\??\.(?:some|every|find|filter|map|flatMap|reduce|includes)\b")


def thin_pages(tree):
    """No page decides by the posts of whoever looks: which places, steps and rows there are, the server says."""
    for path, text in tree.of_suffix(".ts", ".vue"):
        if not re.match(r"web/src/|modules/\w+/web/", path) or path == FACES:
            continue
        tree.look()
        for number, line in lines_of(text):
            if found := BY_POST.search(line):
                yield path, number, f"a page decides by {found[0]!r}: the server says what there is"


def sql_of(tree, floor):
    """(path, line, literal) of the SQL in the product's C++ of this floor."""
    for path, text in tree.of_suffix(".cpp", ".hpp"):
        if path.startswith(floor + "/") and not path.endswith("_test.cpp"):
            tree.look()
            yield from ((path, line, literal) for line, literal in literals_of(text) if is_sql(literal))


def sql_in_app(tree):
    """app/ puts together and asks; statements stand with the tables that they are about."""
    for path, line, literal in sql_of(tree, "app"):
        yield path, line, f"SQL in app/: {literal.strip()[:60]!r}"


def kernel_tables(tree):
    """A module reads datasets and its own tables (modules/NAME/migrations); the kernel's it asks through the kernel."""
    kernel = set()
    for path, text in tree.of_suffix(".sql"):
        if path.startswith("db/migrations/"):
            kernel |= set(re.findall(r'CREATE TABLE (?:IF NOT EXISTS )?"?(\w+)"?', text))
    for path, line, literal in sql_of(tree, "modules"):
        for table in sorted(tables_of(literal) & kernel):
            module = path.split("/")[1]
            yield path, line, f"modules/{module} reads the kernel's table {table}", f"{module}: {table}"


GET_ROUTE = re.compile(r'\.verb = (?:edge::)?Verb::get,\s*\.path = "([^"]+)"')


def readers(tree):
    """Lists are datasets, asked by POST /api/query: a route that reads is one more reader and has to say why it is none."""
    for path, text in tree.of_suffix(".cpp"):
        if path.startswith(("app/", "modules/")) and not path.endswith("_test.cpp"):
            for found in GET_ROUTE.finditer(text):
                tree.look()
                yield path, line_at(text, found.start(1)), f"GET {found[1]}: make what it lists a dataset", found[1]


def demands(tree):
    """Tests cite demands of docs/demands.toml, at a level that the demand asks for; each demand belongs to a clause."""
    path = "docs/demands.toml"
    known = citing.demands_of(tree.files)
    clauses_known = set(re.findall(r"^\| (\d(?:\.\d+)+)", tree.files.get("docs/regulation.md", ""), re.M))
    ids = re.finditer(r'^id\s*=\s*"(.*)"', tree.files.get(path, ""), re.M)
    lines = {found[1]: line_at(tree.files[path], found.start()) for found in ids}
    for demand in known.values():
        tree.look()
        if demand.clause not in clauses_known:
            yield path, lines[demand.id], f"{demand.id} belongs to no clause of docs/regulation.md"
        if not demand.levels or not set(demand.levels) <= set("EHBC"):
            yield path, lines[demand.id], f"{demand.id}: levels are E, H, B and C"
        if demand.open and not demand.cited:
            yield path, lines[demand.id], f"{demand.id}: nothing is shown, so nothing stays open"
    for file, text in sorted(tree.files.items()):
        if not citing.is_test(file) or file.startswith("tests/rules/"):
            continue
        for citation in citing.citations(file, text):
            demand = known.get(citation.id)
            if demand is None:
                yield file, citation.line, f"§{citation.id} is no demand of {path}"
            elif not set(citing.level_of(file)) & set(demand.levels):
                asked = " or ".join(demand.levels)
                yield file, citation.line, f"§{citation.id} is shown at {asked}, and this test is at {citing.level_of(file)}"


def refusals(tree):
    """Each refusal that the product can answer with is named by a test: one that is only met somewhere is asserted nowhere."""
    tests = "\n".join(text for path, text in tree.files.items()
                      if citing.is_test(path) and not path.startswith("tests/rules/")).replace("\\.", ".")
    known = set()
    for path, text in tree.of_suffix(".cpp", ".hpp"):
        if folder_of(path) is None or path.endswith("_test.cpp"):
            continue
        for line, code in refusals_of(text):
            if code in known:
                continue
            tree.look()
            known.add(code)
            if not re.search(rf"\b{code}\b", tests):
                yield path, line, f"no test names the refusal {code}", code


RULES = [
    floors, links, beast, names, unfinished, bans, function_length, columns, whitespace, headers, dead_files, catalogue,
    clauses, glossary, migrations, machines, lock_files, history, module_list, procedures, thin_pages, sql_in_app,
    kernel_tables, readers, demands, refusals,
]


class Exemption:
    """A row of exemptions.toml: `path` and `what` are patterns; either may be left out."""

    def __init__(self, row, line):
        self.path, self.what, self.line, self.needed = row.get("path", "*"), row.get("what", "*"), line, False

    def covers(self, path, what):
        return fnmatchcase(path, self.path) and fnmatchcase(what, self.what)


def exemptions_of(tree, rule):
    text = tree.files.get(EXEMPTIONS, "")
    for row in tomllib.loads(text).get(rule.__name__, []):
        named = [json.dumps(value, ensure_ascii=False) for value in row.values()]
        yield Exemption(row, next((number for number, line in lines_of(text) if all(one in line for one in named)), 1))


def judge(rule, tree):
    """Problems of one rule, less those that are exempt, and exemptions that nothing needs any more."""
    tree.looked = 0
    exemptions = list(exemptions_of(tree, rule))
    for path, line, text, what in ((*problem, "")[:4] for problem in rule(tree)):
        covering = [exemption for exemption in exemptions if exemption.covers(path, what)]
        for exemption in covering:
            exemption.needed = True
        if not covering:
            yield path, line, text
    for exemption in exemptions:
        if not exemption.needed:
            yield EXEMPTIONS, exemption.line, f"nothing needs this any more: {exemption.path} {exemption.what}"
    if tree.looked == 0:
        yield "tests/rules/rules.py", 1, "the rule looked at nothing"


def main():
    tree = Tree.of(ROOT)
    found = 0
    for rule in RULES:
        problems = list(judge(rule, tree))
        found += len(problems)
        print(f"{rule.__name__:16} looked at {tree.looked:6}, {len(problems)} problems")
        for path, line, text in problems:
            print(f"{path}:{line}: {rule.__name__}: {text}")
    print(f"{len(RULES)} rules over {len(tree.files)} files: {found} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
