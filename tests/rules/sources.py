"""Reading of C++, SQL, CMake and Markdown as far as rules need it: literals, functions, includes, tables. No parser, so rules
that read with it are tried on samples."""

import re

NO_FUNCTION = re.compile(
    r"\s*(?:if|for|while|switch|else|return|do|catch|namespace|struct|class|enum|extern|union|case|try)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]')
TOKEN = re.compile(r"""//[^\n]*|/\*.*?\*/|R"(\w*)\((.*?)\)\1"|"((?:\\.|[^"\\\n])*)"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'""", re.S)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}


def lines_of(text):
    return enumerate(text.split("\n"), start=1)


def line_at(text, position):
    return text.count("\n", 0, position) + 1


def literals_of(text):
    """(line, value) of each string literal of C++; those that stand beside each other are one."""
    line = value = end = None
    for found in TOKEN.finditer(text):
        if found[0].startswith(("//", "/*", "'")):
            continue
        inner = found[2] if found[2] is not None else re.sub(r"\\(.)", lambda e: ESCAPES.get(e[1], e[1]), found[3])
        # Nothing but blanks and comments since the last one: the compiler joins them.
        if value is not None and not TOKEN.sub(lambda t: "" if t[0].startswith("/") else t[0], text[end:found.start()]).strip():
            value += inner
        else:
            if value is not None:
                yield line, value
            line, value = line_at(text, found.start()), inner
        end = found.end()
    if value is not None:
        yield line, value


def name_of(line):
    """What a definition that begins on this line is called: a function, `Type::function`, a lambda's variable, Suite.test."""
    test = re.match(r"\s*(?:TEST|TEST_F|TEST_P|RC_GTEST_PROP)\((\w+),\s*(\w+)", line)
    if test:
        return f"{test[1]}.{test[2]}"
    variable = re.search(r"(\w+)\s*=\s*\[", line)
    called = re.search(r"([\w:~]+|operator\S+)\s*\(", line)
    return variable[1] if variable else called[1] if called else ""


def functions_of(text):
    """(first line, last line, name) of C++ definitions whose closing brace stands in the column of their first line."""
    lines = text.split("\n")
    number = 0
    while number < len(lines):
        line = lines[number]
        indent = len(line) - len(line.lstrip())
        if re.match(r"\s*[A-Za-z_~\[\]][^;{}]*\(", line) and not NO_FUNCTION.match(line) and indent <= 4:
            opening = number
            while opening < len(lines) and opening < number + 12 and not re.search(r"[;{}]\s*$", lines[opening]):
                opening += 1
            if opening < len(lines) and lines[opening].rstrip().endswith("{"):
                end = opening + 1
                while end < len(lines) and not re.match(rf"\s{{{indent}}}}}", lines[end]):
                    end += 1
                yield number + 1, end + 1, name_of(line)
                number = end
        number += 1


def calls_of(text, function):
    """(line, arguments as words) of calls of a CMake function, over as many lines as they take."""
    bare = re.sub(r"#[^\n]*", lambda comment: " " * len(comment[0]), text)
    for found in re.finditer(rf"(?<!function\()\b{function}\(([^()]*)\)", bare):
        yield line_at(bare, found.start()), found[1].split()


def table_under(text, first_column):
    """Rows of the Markdown table whose header starts with this column, as lists of cells."""
    rows, inside = [], False
    for line in text.split("\n"):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if cells and cells[0] == first_column:
            inside = True
        elif not cells:
            inside = False
        elif inside and not set(cells[0]) <= {"-", ":", " "} or (inside and cells[0] == ""):
            rows.append(cells)
    return rows


SQL = re.compile(r"""(?:^|[\s(;])(?:SELECT\s|INSERT\s+INTO\s|UPDATE\s+[\w".]+\s+SET\s|DELETE\s+FROM\s|ORDER\s+BY\s
    |CREATE\s+(?:TEMP\s+|UNIQUE\s+)?(?:TABLE|INDEX|ROLE|VIEW|SCHEMA|TRIGGER)\s|(?:ALTER|DROP)\s+(?:TABLE|INDEX|ROLE|TRIGGER)\s
    |(?:FROM|JOIN)\s+[a-z_"{][^.]*\bWHERE\s)""", re.X)
READS = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:record\.)?\"?([a-z_]+)\"?")


def is_sql(literal):
    """Does this string literal hold SQL, a whole statement or the greater part of one?"""
    return bool(SQL.search(literal))


def tables_of(literal):
    """Tables that a piece of SQL reads or writes."""
    return set(READS.findall(literal))


CODE = re.compile(r'(?:\bCode::\w+,|\brefuse\(|\bone_field\()\s*"([a-z_]+\.[a-z_]+)"|\btype\s*=\s*([^;{}]*?"[^;]*?);|\.type\s*=\s*("[^"]*")')
PREFIX = re.compile(r'Code::\w+, "([a-z_]+\.)" \+ code\b')
PREFIXED = re.compile(r'\brefuse\((?:[^;{}]*?,)?\s*"([a-z_]+)",\s*\{')


def refusals_of(text):
    """(line, code) of each refusal that C++ can answer with: `{Code::x, "module.what", …}`, `.type = "…"`, `refuse("…")`."""
    for found in CODE.finditer(text):
        for code in re.findall(r'"([a-z_]+\.[a-z_]+)"', f'"{found[1]}"' if found[1] else found[0]):
            yield line_at(text, found.start()), code
    prefix = PREFIX.search(text)
    for found in PREFIXED.finditer(text) if prefix else ():
        yield line_at(text, found.start()), prefix[1] + found[1]
