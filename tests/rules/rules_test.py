#!/usr/bin/env python3
"""Each rule of rules.py is tried on the trees of samples/: it must find the stated problems and no others.

A sample is one text file: the line `rule NAME`, a line `bad PATH:LINE` for each problem that must be found, then the
files of a small tree, each after a line `=== PATH`. `=== (history)` holds commit messages, parted by lines of `---`.
"""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import rules  # noqa: E402

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.txt"))


def parse(text):
    head, *sections = ("\n" + text).split("\n=== ")
    name, bad = None, []
    for line in head.split("\n"):
        if line.startswith("rule "):
            name = line.removeprefix("rule ")
        elif line.startswith("bad "):
            bad.append(line.removeprefix("bad "))
    files, messages = {}, []
    for index, section in enumerate(sections):
        path, _, body = section.partition("\n")
        if index + 1 < len(sections):
            body += "\n"
        if path == "(history)":
            messages = body.split("\n---\n")
        else:
            # \t, blanks at the end and a missing newline do not survive editors: samples spell them out
            files[path] = body.replace("<tab>", "\t").replace("<blank>", " ").replace("<no newline>\n", "")
    return name, sorted(bad), rules.Tree(files, messages)


class Samples(unittest.TestCase):
    def test_each_sample_is_judged_as_it_says(self):
        for path in SAMPLES:
            with self.subTest(path.name):
                name, bad, tree = parse(path.read_text(encoding="utf-8"))
                found = sorted(f"{where}:{line}" for where, line, _ in rules.judge(getattr(rules, name), tree))
                self.assertEqual(bad, found)

    def test_each_rule_has_a_sample_that_it_rejects(self):
        rejected = {name for name, bad, _ in (parse(path.read_text(encoding="utf-8")) for path in SAMPLES) if bad}
        self.assertEqual(rejected, {rule.__name__ for rule in rules.RULES})

    def test_a_rule_that_looks_at_nothing_fails(self):
        for rule in rules.RULES:
            found = [text for _, _, text in rules.judge(rule, rules.Tree({}))]
            self.assertEqual(found, ["the rule looked at nothing"], rule.__name__)

    def test_each_rule_says_what_it_is_for(self):
        for rule in rules.RULES:
            self.assertTrue(rule.__doc__, rule.__name__)

    def test_each_ban_finds_something_in_its_sample(self):
        text = (Path(__file__).parent / "samples" / "bans.txt").read_text(encoding="utf-8")
        for expression, *_ in rules.BANS:
            self.assertRegex(text, expression)


if __name__ == "__main__":
    unittest.main()
