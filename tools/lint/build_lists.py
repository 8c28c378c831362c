"""BUILD files: what is public says so itself; lists stand in the order in which buildifier puts them."""

import ast
import re

SORTED = ("data", "deps", "hdrs", "kernels", "srcs", "stand_ins", "tags", "textual_hdrs", "visibility")


def order(entry):
    """Sorts `:here`, `//ours`, `@theirs`; a package before the packages below it."""
    phase = 1 if entry.startswith(":") else 2 if entry.startswith("//") else 3 if entry.startswith("@") else 0
    return phase, re.split(r"[.:]", entry), entry


def lists(text):
    """(rule's name, attribute, list) for every list of strings in a sorted attribute.

    A concatenation and the branches of a select count one by one.
    """
    for call in ast.parse(text).body:
        if not (isinstance(call, ast.Expr) and isinstance(call.value, ast.Call)):
            continue
        attributes = {keyword.arg: keyword.value for keyword in call.value.keywords}
        name = getattr(attributes.get("name"), "value", "")
        for attribute, value in attributes.items():
            if attribute not in SORTED:
                continue
            for node in ast.walk(value):
                if isinstance(node, ast.List) and all(isinstance(e, ast.Constant) for e in node.elts):
                    yield name, attribute, node


def check_visibility(path, text):
    """A target is private unless it says otherwise; a whole package never is public by default."""
    if re.search(r"default_visibility\s*=\s*\[\s*\"//visibility:public\"", text):
        return [f"{path}: no public default_visibility; say visibility = [\"//visibility:public\"] at what others use"]
    return []


def check_order(path, text):
    problems = []
    for name, attribute, node in lists(text):
        entries = [e.value for e in node.elts]
        wanted = sorted(dict.fromkeys(entries), key=order)
        if entries != wanted and not _commented(text, node):
            wrong = next(i for i, e in enumerate(entries) if i >= len(wanted) or e != wanted[i])
            problems.append(f"{path}:{node.elts[wrong].lineno}: {attribute} of {name} are not in order at "
                            f"{entries[wrong]}; run python3 tools/lint/lint.py --fix")
    return problems


def rewrite(text, changes):
    """`text` with its lists in order, and with `changes` made to `deps`.

    `changes` is a map from a rule's name to (labels to add, labels to drop). Labels are added to
    the first list of `deps`; a rule without one, and lists with comments in them, stay as they are.
    """
    lines, seen = text.split("\n"), set()
    edits = []
    for name, attribute, node in lists(text):
        entries = {e.value for e in node.elts}
        if attribute == "deps":
            add, drop = changes.get(name, ((), ()))
            entries -= set(drop)
            if name not in seen:
                entries |= set(add)
            seen.add(name)
        entries = sorted(entries, key=order)
        if entries != [e.value for e in node.elts] and not _commented(text, node):
            edits.append((node, entries))
    for node, entries in sorted(edits, key=lambda edit: -edit[0].lineno):
        first, last = node.lineno - 1, node.end_lineno - 1
        indent = re.match(" *", lines[first]).group()
        before, after = lines[first][:node.col_offset], lines[last][node.end_col_offset:]
        if len(entries) > 1:
            new = [before + "["] + [f'{indent}    "{e}",' for e in entries] + [f"{indent}]{after}"]
        else:
            new = [before + "[" + "".join(f'"{e}"' for e in entries) + "]" + after]
        lines[first:last + 1] = new
    return "\n".join(lines)


def _commented(text, node):
    return any("#" in line for line in text.split("\n")[node.lineno - 1:node.end_lineno])
