#!/usr/bin/env python3
"""Makes docs/clauses.md: each clause of docs/regulation.md, where it is done, and which tests show which of its demands.

Tests cite demands of docs/demands.toml in their names: a C++ test `TEST(Small, C3_2_1b_groups_are_kept_back)`, a node test
`test('§2.4.2.c a refusal says why', …)`, or any call whose first word is such a title; several demands one after the other.
Titles of `describe` and of suites over stores only group. A test counts at its level: that of its place (LEVELS).
Where: rows of regulation/*.toml with `clause = "2.3.1"`, and comments of code that cite §2.3.1.
`--check` fails when the page is not current.
"""

import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = "docs/clauses.md"
SOURCES = (".cpp", ".hpp", ".ts", ".vue", ".mjs", ".toml", ".sql")
PLACES_MAX = 6
# Folder or file → levels of its tests; the first that fits.
LEVELS = [("tests/browser/", "B"), ("tests/http/commands", "CH"), ("tests/http/", "H"), ("", "E")]
CITED = re.compile(r"(?<!RFC \d{4} )§(\d\.\d(?:\.\d)?)(?![\d.]*\d)")  # RFC 6962 §2.1 is another paper
CPP_TITLE = re.compile(r"^\s*(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP)\((\w+),\s*(\w+)", re.M)
SCRIPT_TITLE = re.compile(r"\b(?!describe\b|forEachStore\b)\w+\(\s*(['\"`])(§\d.+?)\1")


def is_test(name):
    return name.endswith(("_test.cpp", ".test.mjs", ".test.ts", ".spec.ts")) or name.startswith("tests/")


def level_of(name):
    return next(level for place, level in LEVELS if name.startswith(place))


class Citation:
    """One id at the start of a test's name: `2.4.2.c`, or `2.4.2` where a demand is not named."""

    def __init__(self, path, line, id, title):
        self.path, self.line, self.id, self.title = path, line, id, title


def citations(path, text):
    """What the tests of a file cite: C3_2_1b_C1_3_3a_what, or §3.2.1.b §1.3.3.a what."""
    if path.endswith(".cpp"):
        for found in CPP_TITLE.finditer(text):
            head, rest = re.match(r"((?:C\d_\d(?:_\d)?[a-z]?_)*)(.*)", found[2]).groups()
            for clause, demand in re.findall(r"C(\d_\d(?:_\d)?)([a-z]?)_", head):
                id = clause.replace("_", ".") + (f".{demand}" if demand else "")
                yield Citation(path, text.count("\n", 0, found.start(2)) + 1, id, rest.replace("_", " "))
    elif path.endswith((".mjs", ".ts")):
        for found in SCRIPT_TITLE.finditer(text):
            head, rest = re.match(r"((?:§[\d.]+[a-z]?\s+)+)(.*)", found[2] + " ").groups()
            for id in re.findall(r"§([\d.]+[a-z]?)", head):
                yield Citation(path, text.count("\n", 0, found.start(2)) + 1, id, rest.strip())


class Demand:
    def __init__(self, row):
        self.id, self.text, self.levels, self.open = row["id"], row["text"], row["level"].split(), row.get("open", "")
        self.clause = self.id.rsplit(".", 1)[0]
        self.cited = []

    def missing(self):
        """What is not shown yet, in words; nothing when the demand is done."""
        if not self.cited:
            return "*not yet*"
        seen = "".join(level_of(citation.path) for citation in self.cited)
        levels = [level for level in self.levels if level not in seen]
        words = ([f"at {' and '.join(levels)}"] if levels else []) + ([self.open] if self.open else [])
        return f"*not yet:* {'; '.join(words)}" if words else ""


def demands_of(files):
    """Demands by id with the tests that cite them. `files`: path → text."""
    rows = tomllib.loads(files.get("docs/demands.toml", "")).get("demand", [])
    demands = {row["id"]: Demand(row) for row in rows}
    for path, text in sorted(files.items()):
        for citation in citations(path, text) if is_test(path) else ():
            if citation.id in demands:
                demands[citation.id].cited.append(citation)
    return demands


def places_of(files):
    """Clause → files of the product that cite it."""
    where = defaultdict(list)
    for path, text in sorted(files.items()):
        if is_test(path) or not path.endswith(SOURCES) or path.startswith("docs/"):
            continue
        cited = set(CITED.findall(text))
        if path.endswith(".toml"):
            cited |= set(re.findall(r'\bclause\s*=\s*"([\d.]+)"', text))
        for clause in cited:
            where[clause].append(path)
    return where


def places(names):
    shown = [f"`{name}`" for name in names[:PLACES_MAX]]
    return ", ".join(shown) + (f" and {len(names) - PLACES_MAX} more" if len(names) > PLACES_MAX else "")


def shown_by(demand):
    by_file = defaultdict(list)
    for citation in demand.cited:
        by_file[citation.path].append(citation.title.replace("|", "\\|"))
    proofs = [f"{' · '.join(dict.fromkeys(titles))} (`{path}`)" for path, titles in by_file.items()]
    return "; ".join(proofs + [demand.missing()] if demand.missing() else proofs)


def page(files):
    demands, where = demands_of(files), places_of(files)
    out = [
        "# Where each clause is done, and what shows it",
        "",
        "Made by `./dev clauses` from [demands.toml](demands.toml), the tests' names and the citations in code and regulation; a test keeps it",
        "current. Do not edit. Under each clause stand its demands with the level at which a test must show them: **E** engine or unit, **H** over",
        "HTTP, **B** in a browser, **C** on the command line. A demand counts once its tests show all of it at every level named.",
        "",
    ]
    for line in files.get("docs/regulation.md", "").split("\n"):
        if line.startswith("## "):
            out += ([""] if out[-1] else []) + [line, "| § | | level | shown by |", "| --- | --- | --- | --- |"]
        row = re.match(r"\| (\d(?:\.\d+)+) \| (\S+) \|", line)
        if not row:
            continue
        own = [demand for demand in demands.values() if demand.clause == row[1]]
        done = sum(not demand.missing() for demand in own)
        share = f"{done} of {len(own)}" if own else "the whole"
        out.append(f"| **{row[1]}** | **{row[2]}** | **{share}** | {places(where.get(row[1], []))} |")
        for demand in own:
            out.append(f"| {demand.id} | {demand.text} | {' '.join(demand.levels)} | {shown_by(demand)} |")
    done = sum(not demand.missing() for demand in demands.values())
    out += ["", f"{done} of {len(demands)} demands are shown by tests.", ""]
    return "\n".join(out)


def read_tree():
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
                            check=True, capture_output=True, text=True).stdout.split("\0")
    wanted = (name for name in listed if name.endswith(SOURCES) or name == "docs/regulation.md")
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in wanted
            if not name.startswith("tests/rules/") and (ROOT / name).is_file()}


def main():
    made, target = page(read_tree()), ROOT / PAGE
    if "--check" not in sys.argv:
        target.write_text(made, encoding="utf-8")
        print(made.rstrip().split("\n")[-1])
        return 0
    if target.is_file() and target.read_text(encoding="utf-8") == made:
        print(f"{PAGE} is current")
        return 0
    print(f"{PAGE} is not current: run ./dev clauses and commit it")
    return 1


if __name__ == "__main__":
    sys.exit(main())
