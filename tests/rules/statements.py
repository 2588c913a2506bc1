#!/usr/bin/env python3
"""Which SQL of the product no test runs: the literals of the sources, held against what the processes under test have given to
the stores (tests/support/note_statements.cpp). Runs as the last test of all. `statements.py BUILD-FOLDER`.

A literal is seen when its pieces, between what is put in at run time, stand in one noted statement or in several. What is let
pass stands in exemptions.toml under `statements`, by the beginning of its text.
"""

import os
import re
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent)]
from rules import ROOT, Tree, judge  # noqa: E402
from sources import is_sql, literals_of  # noqa: E402

FLOORS = ("app/", "kernel/", "modules/", "platform/")
PUT_IN = re.compile(r"@|\{\w*\}")  # tables of the record by prefix, types by dialect


def pieces_of(literal):
    return [piece for piece in PUT_IN.split(literal) if len(piece.strip()) > 3]


def statements_unseen(seen):
    def statements(tree):
        """Every SQL text of the product is run by a test."""
        for path, text in tree.of_suffix(".cpp", ".hpp"):
            if not path.startswith(FLOORS) or path.endswith("_test.cpp"):
                continue
            for line, literal in literals_of(text):
                if is_sql(literal):
                    tree.look()
                    if not all(piece in seen for piece in pieces_of(literal)):
                        shown = " ".join(literal.split())
                        yield path, line, f"no test runs {shown[:100]!r}", shown
    return statements


def notes_of(folder, since):
    """All texts noted since the product was built; older notes go."""
    texts = set()
    for path in folder.iterdir():
        if path.stat().st_mtime < since:
            path.unlink()
        else:
            texts.update(path.read_text(encoding="utf-8", errors="replace").split("\0"))
    return texts


def main():
    build = Path(sys.argv[1])
    texts = notes_of(build / "statements", (build / "jiaowu").stat().st_mtime)
    if not texts:
        print("nothing is noted: this test is the last of all tests (./dev test)")
        return 1
    if "JIAOWU_TEST_PG" not in os.environ:
        print("without PostgreSQL half of the statements are not run: nothing is judged")
        return 0
    tree = Tree.of(ROOT)
    problems = list(judge(statements_unseen("\0".join(texts)), tree))
    for path, line, text in problems:
        print(f"{path}:{line}: statements: {text}")
    print(f"{tree.looked} pieces of SQL in the product, {len(texts)} statements seen: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
