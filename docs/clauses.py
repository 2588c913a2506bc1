#!/usr/bin/env python3
"""Makes docs/clauses.md: each clause of docs/regulation.md, where it is done, and the tests that show it.

Tests name their clause: a C++ test `TEST(Grades, C2_3_1_a_student_sees_own_rows_only)`, a node test
`test('§2.3.1 a student sees own rows only', …)`, several clauses one after the other. Where: rows of regulation/*.toml with
`clause = "2.3.1"`, and comments of code that cite §2.3.1. `--check` fails when the page is not current.
"""

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "clauses.md"
SOURCES = (".cpp", ".hpp", ".ts", ".vue", ".mjs", ".toml", ".sql")
PLACES_MAX = 6
CITED = re.compile(r"(?<!RFC \d{4} )§(\d\.\d(?:\.\d)?)(?![\d.]*\d)")  # RFC 6962 §2.1 is another paper


def files():
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
                            check=True, capture_output=True, text=True).stdout.split("\0")
    for name in sorted(listed):
        if name.endswith(SOURCES) and not name.startswith("tests/rules/") and (ROOT / name).is_file():
            yield name, (ROOT / name).read_text(encoding="utf-8")


def is_test(name):
    return name.endswith(("_test.cpp", ".test.mjs", ".test.ts", ".spec.ts")) or name.startswith("tests/")


def clauses_of_test(title):
    """Clauses at the start of a test's name: C2_3_1_C1_3_1_what, or §2.3.1 §1.3.1 what."""
    found = re.findall(r"(?:^|_)C(\d_\d(?:_\d)?)(?=_)", title) if title.startswith("C") else []
    return [clause.replace("_", ".") for clause in found] + re.findall(r"§(\d\.\d(?:\.\d)?)", title)


def titles(name, text):
    if name.endswith(".cpp"):
        for suite, title in re.findall(r"^\s*(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP)\((\w+),\s*(\w+)", text, re.M):
            yield title, f"{suite}.{title}"
    else:
        for _, title in re.findall(r"\b(?:test|it|describe)\(\s*(['\"`])(.+?)\1", text):
            yield title, title


def gather():
    where, tests = defaultdict(list), defaultdict(list)
    for name, text in files():
        if is_test(name):
            for title, shown in titles(name, text):
                for clause in clauses_of_test(title):
                    tests[clause].append((name, shown))
            continue
        cited = set(CITED.findall(text)) if not name.endswith(".toml") else set()
        if name.endswith(".toml"):
            cited = set(re.findall(r'\bclause\s*=\s*"([\d.]+)"', text)) | set(CITED.findall(text))
        for clause in cited:
            where[clause].append(name)
    return where, tests


def human(shown):
    """C2_3_1_a_student_sees -> a student sees; a sentence stays as it is."""
    title = shown.split(".", 1)[1] if re.match(r"\w+\.C\d", shown) else shown
    title = re.sub(r"(?:^|_)C\d_\d(?:_\d)?(?=_)", "", title).lstrip("_") if title.startswith("C") else title
    if " " not in title:
        title = title.replace("_", " ")
    return re.sub(r"^(?:§[\d.]+[\s,:]*)+", "", title).replace("|", "\\|").strip()


def places(names):
    shown = [f"`{name}`" for name in names[:PLACES_MAX]]
    return ", ".join(shown) + (f" and {len(names) - PLACES_MAX} more" if len(names) > PLACES_MAX else "")


def page():
    where, tests = gather()
    out = [
        "# Where each clause is done, and what shows it",
        "",
        "Made by `./dev clauses` from the tests' names and the citations in code and regulation; a test keeps it current. Do not edit.",
        "A clause that no test shows is marked *not yet*, whatever code cites it.",
        "",
    ]
    shown = total = 0
    for line in (ROOT / "docs" / "regulation.md").read_text(encoding="utf-8").split("\n"):
        if line.startswith("## "):
            out += ([""] if out[-1] else []) + [line, "| § | | where | shown by |", "| --- | --- | --- | --- |"]
        row = re.match(r"\| (\d(?:\.\d+)+) \| (\S+) \|", line)
        if not row:
            continue
        clause, title = row[1], row[2]
        total += 1
        proofs = [f"{human(test)} (`{name}`)" for name, test in tests.get(clause, [])]
        shown += bool(proofs)
        out.append(f"| {clause} | {title} | {places(where.get(clause, []))} | {'; '.join(proofs) or '*not yet*'} |")
    out += ["", f"{shown} of {total} clauses are shown by tests.", ""]
    return "\n".join(out)


def main():
    made = page()
    if "--check" not in sys.argv:
        PAGE.write_text(made, encoding="utf-8")
        print(made.rstrip().split("\n")[-1])
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == made:
        print("docs/clauses.md is current")
        return 0
    print("docs/clauses.md is not current: run ./dev clauses and commit it")
    return 1


if __name__ == "__main__":
    sys.exit(main())
