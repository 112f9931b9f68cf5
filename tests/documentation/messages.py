"""``python -m tests.documentation.messages`` writes docs/messages.md: all errors and warnings of the source code.

A message is an argument of an error class, of ``Fault``, or of a function that passes a parameter on to one of these.
A message that cannot be read from the code raises ``UnreadableError``: nothing is left out silently.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from tests.documentation.code import (
    Bound,
    Code,
    Function,
    Scope,
    Slot,
    Text,
    arguments,
    has_words,
    joined,
    parameters,
    walk,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "messages.md"
COMMAND = "python -m tests.documentation.messages"
MARK = f"<!-- Below this line everything is written by {COMMAND}. -->\n"

SECTIONS: dict[str, tuple[str, ...]] = {
    "A release: its file": ("reader.source", "reader.references", "reader.release", "build.reading", "build.samples"),
    "A release: its front matter": (
        *("reader.frontmatter", "reader.instants", "reader.yaml_slips", "reader.fields", "reader.addresses"),
    ),
    "A release: its text": ("reader.markdown", "reader.document", "reader.body", "reader.characters", "reader.report"),
    "A release: its pictures": ("reader.pictures", "reader.files", "typography.image_metadata"),
    "A release: its footage": (
        "reader.footage",
        "reader.measuring",
        "reader.captions",
        "reader.previews",
        "cli.footage",
    ),
    "A release: what an editor would ask about": ("reader.editing", "publish.link_check", "build.translations"),
    "Changes of a public release": ("build.revisions", "cli.notices", "cli.diff", "publish.withdrawal"),
    "newsroom.toml": ("reader.newsroom", "model.newsroom", "cli.newsroom"),
    "New, import, check and preview": (*("cli.new", "cli.import_", "reader.imports", "cli.check", "cli.preview"),),
    "Rendering": ("build", "writers", "typography", "cli.render", "cli.stage"),
    "A Dask cluster": ("build.cluster", "build.cluster_worker"),
    "Publishing and embargoes": ("publish", "cli"),
    "Your storage": ("storage",),
    "Set-up and validators": ("start", "cli.mistyped", "validators", "__main__", "Makefile"),
}
"""The parts of the page, and the modules whose messages each has; the longest name that fits decides."""

WORDS = {
    "address": "address", "answer": "answer", "ask": "address", "asked": "value", "by_hand": "command",
    "close": "name", "code": "code", "conflict": "what", "content": "folder", "destination": "address",
    "entity": "sign", "error": "reason", "exc": "reason", "fault": "what", "file_name": "file", "found": "what",
    "gone": "names", "html": "tag", "key": "key", "kind": "kind", "leak": "what", "m": "signs", "mark": "what",
    "missing": "names", "name": "name", "near": "name", "newest": "date", "node": "value", "number": "number",
    "opaque": "random id", "original": "file", "other": "other", "ours": "ours", "path": "file", "pid": "number",
    "problem": "what", "proper": "name", "ratio": "number", "reason": "reason", "rest": "text", "said": "answer",
    "scalar": "value", "shown": "name", "slug": "name", "source": "file", "state": "state", "strerror": "reason",
    "tail": "signs", "taken": "file", "text": "text", "theirs": "theirs", "typed": "text", "value": "value",
    "what": "what", "where": "address", "why": "why", "word": "word", "words": "words", "written": "date",
    "_written": "the line", "tidied": "the date", "lines": "lines", "names": "names", "listed": "names",
}  # fmt: skip
"""How a part that varies is shown; others by the name that the code has for them."""
FORWARDED = frozenset(
    [
        "message",
        "error",
        "fault",
        "problem",
        "what",
        "hint",
        "text",
        "reason",
        "result",
        "warning",
        "was",
        "messages",
        "last",
    ]
)
"""Names of variables whose text comes from another place, where it is a message by itself."""
PROGRAMMING = frozenset(
    ["ReleaseError", "KeyError", "ValueError", "RuntimeError", "AssertionError", "DecodeError", "PreconditionFailed"]
)
"""Errors without words for people of their own: ``ReleaseError`` has faults, the others become other errors."""
TEXT_SINKS = ("fault", "error")
"""Methods that print one text, perhaps with a hint in its second line."""
PAIR_SINKS = {"report": (1, 2), "warn": (1, 2)}
"""Functions that are given as parameters, with the place of message and hint."""
VARIANTS_SHOWN = 4
AS_SHOWN = {"reader.yaml_slips": "type the line that the hint shows"}
"""What to do where the hint is made from the line itself."""


class UnreadableError(Exception):
    """A message that the generator cannot read from the code."""


@dataclass(frozen=True)
class Message:
    """One message with what to do about it."""

    module: str
    text: Text
    hints: tuple[Text, ...]
    name: str = ""
    """Of a warning."""


@dataclass(frozen=True)
class Sink:
    """A call that takes a message: the place of message and hint among its arguments; -1 for none."""

    message: int
    hint: int
    names: tuple[str, ...] = ("message", "hint")
    name: int = -1
    """Place of the name of a warning."""


def collect(folder: Path = ROOT / "pipeline") -> list[Message]:
    """Return the messages of the package in ``folder``, each once in a module."""
    found = _Collector(Code(folder)).collect()
    makefile = (folder.parent / "Makefile").read_text("utf-8")
    said = re.findall(r"'([^'%]+)' \\\n'  hint: ([^']+)'", makefile)
    said += [(text, "") for text in re.findall(r"echo '([^']+)' >&2", makefile)]
    return found + [Message("Makefile", (text,), ((hint,),) if hint else ()) for text, hint in said]


class _Collector:
    def __init__(self, code: Code) -> None:
        self.code = code
        self.classes = self._classes()
        self.passing: dict[tuple[str, str], list[tuple[Text, list[Text], str]]] = {}
        """Functions that pass a parameter on, by module and name, with the texts that have it as a slot."""
        self.found: dict[tuple[str, Text, str], dict[Text, None]] = {}
        self.unreadable: list[str] = []
        self.said: tuple[str, Text, str] | None = None
        """The last message that was found: some print their hint by a statement of its own."""

    def collect(self) -> list[Message]:
        modules = self.code.modules.values()
        kinds = (ast.Call, ast.Assign, ast.Dict, ast.Yield)
        nodes = [each for module in modules for each in walk(module) if isinstance(each[0], kinds)]
        while True:
            before = {key: len(value) for key, value in self.passing.items()}
            self.found, self.unreadable = {}, []
            for node, scope in nodes:
                if isinstance(node, ast.Call):
                    self._call(node, scope)
                elif pair := _stored(node):
                    for each in self.code.tuples(pair, scope):
                        self._pair(each, scope)
            if before == {key: len(value) for key, value in self.passing.items()}:
                break
        if self.unreadable:
            places = "\n".join(dict.fromkeys(self.unreadable))
            raise UnreadableError(
                f"{places}\nThese messages cannot be read from the code. Write the text where it is raised, or in a "
                "constant, or give it to a function of the package; if it is the message of another error, its "
                f"variable should be called one of {', '.join(sorted(FORWARDED))}."
            )
        return [Message(module, text, tuple(hints), name) for (module, text, name), hints in self.found.items()]

    # Which calls take a message

    def _classes(self) -> dict[str, Sink]:
        """Return the error classes, and the structs that have a message, with the place of it."""
        found = {"DatelineError": Sink(0, 1)}
        classes = [n for m in self.code.modules.values() for n in ast.walk(m.tree) if isinstance(n, ast.ClassDef)]
        for _ in range(4):
            for node in classes:
                bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
                if bases & found.keys() and not bases & {"Struct"}:
                    found[node.name] = Sink(0, 1)
        for node in classes:
            fields = [n.target.id for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
            bases = {ast.unparse(base) for base in node.bases}
            if "message" in fields and "Struct" in bases:
                hint = fields.index("hint") if "hint" in fields else -1
                name = fields.index("name") if "name" in fields else -1
                found[node.name] = Sink(fields.index("message"), hint, name=name)
            elif node.name.endswith("Error") and node.name not in found:
                found[node.name] = Sink(1, 2) if node.name == "_YamlError" else Sink(0, 1, ("what", "hint"))
        return {name: sink for name, sink in found.items() if name not in PROGRAMMING}

    def _call(self, node: ast.Call, scope: Scope) -> None:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        receiver = ast.unparse(node.func.value).rpartition(".")[2] if isinstance(node.func, ast.Attribute) else ""
        if isinstance(node.func, ast.Name) and name in self.classes:
            self._arguments(node, self.classes[name], scope)
        elif name in PAIR_SINKS and (len(node.args) > 2 or any(isinstance(each, ast.Starred) for each in node.args)):
            self._arguments(node, Sink(*PAIR_SINKS[name], name=3), scope)
        elif passing := self._passing(node, name, receiver, scope):
            function, texts = passing
            self._pass_on(node, function, texts, scope)
        elif (
            name in TEXT_SINKS
            and receiver in ("self", "console", "progress", "findings", "_progress")
            and len(node.args) == 1
            and not node.keywords
        ) or (scope.module.name.rpartition(".")[2], name) == ("install", "say"):
            self._text(node.args[0], scope)
        elif (scope.module.name.rpartition(".")[2], name) == ("mistyped", "append"):
            for each in self.code.tuples(node.args[0], scope):
                self._pair(each, scope)
        elif pair := _stored(node):
            for each in self.code.tuples(pair, scope):
                self._pair(each, scope)

    def _passing(
        self, node: ast.Call, name: str, receiver: str, scope: Scope
    ) -> tuple[Function, list[tuple[Text, list[Text], str]]] | None:
        found = self.code.function(node, scope)
        knows_fields = "Fields" in {*scope.module.imports, scope.owner}
        if receiver == "report" or (receiver == "self" and not found):
            found = self.code.method("Report", name)
        elif receiver and not found and knows_fields:
            found = self.code.method("Fields", name)
        if found is None:
            return None
        function, around = found
        texts = self.passing.get((around.module.name, f"{around.owner}.{function.name}"))
        return (function, texts) if texts else None

    # What they say

    def _arguments(self, node: ast.Call, sink: Sink, scope: Scope) -> None:
        for values, inner in self._spread(node, scope):
            message = self._argument(node, values, sink.message, sink.names[0])
            if message is None:
                continue
            hint = self._argument(node, values, sink.hint, sink.names[1])
            name = self._argument(node, values, sink.name, "name")
            named = name.value.value if name and isinstance(name.value, ast.Constant) else ""
            for bound in self._correlated([message, *([hint] if hint else [])], inner):
                texts = self.code.texts(_expression(message), message.scope.binding(bound))
                hints = self.code.texts(_expression(hint), hint.scope.binding(bound)) if hint else []
                for text in texts:
                    self._add(text, hints, scope, str(named), node)

    @staticmethod
    def _argument(node: ast.Call, values: list[Bound], place: int, name: str) -> Bound | None:
        if 0 <= place < len(values):
            return values[place]
        keyword = next((each.value for each in node.keywords if each.arg == name), None)
        return Bound(keyword, values[0].scope) if keyword is not None and values else None

    def _spread(self, node: ast.Call, scope: Scope) -> Iterator[tuple[list[Bound], Scope]]:
        """Yield the positional arguments with starred tuples spread, for each tuple that it can be."""
        stars = [each.value for each in node.args if isinstance(each, ast.Starred)]
        for choice in product(*(self.code.tuples(star, scope) for star in stars)):
            tuples = iter(choice)
            values: list[Bound] = []
            for each in node.args:
                if isinstance(each, ast.Starred):
                    bound = next(tuples)
                    assert isinstance(bound.value, tuple)
                    values += [Bound(value, bound.scope) for value in bound.value]
                else:
                    values.append(Bound(each, scope))
            yield values, scope

    def _correlated(self, parts: list[Bound], scope: Scope) -> list[dict[str, Bound]]:
        """Return bindings for names that are unpacked from one tuple, or are a tuple, one for each that it can be."""
        names = {n.id for part in parts for n in ast.walk(_expression(part)) if isinstance(n, ast.Name)}
        names -= scope.bound.keys()
        groups: list[list[dict[str, Bound]]] = []
        for function in scope.functions[-1:]:
            for node in ast.walk(function):
                if isinstance(node, ast.For) and isinstance(node.target, ast.Tuple):
                    rows = [row for each in self.code.tuples(node.iter, scope) for row in self._rows(each)]
                    bound = [_unpacked(node.target, row) for row in rows]
                    if bound and names & bound[0].keys():
                        groups.append(bound)
                    continue
                if not isinstance(node, ast.Assign | ast.NamedExpr):
                    continue
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                variants = []
                if isinstance(target, ast.Tuple) and names & {n.id for n in target.elts if isinstance(n, ast.Name)}:
                    variants = [_unpacked(target, each) for each in self.code.tuples(node.value, scope)]
                elif isinstance(target, ast.Name) and target.id in names and _is_subscripted(target.id, parts):
                    variants = [{target.id: each} for each in self.code.tuples(node.value, scope)]
                if variants:
                    groups.append(variants)
        combined = [dict(pair for each in choice for pair in each.items()) for choice in product(*groups)]
        return combined or [{}]

    def _rows(self, table: Bound) -> list[Bound]:
        """Return the tuples in a tuple of tuples."""
        assert isinstance(table.value, tuple)
        return [row for each in table.value for row in self.code.tuples(each, table.scope)]

    def _pair(self, pair: Bound, scope: Scope) -> None:
        """Add a message and its hint, which are stored together."""
        assert isinstance(pair.value, tuple)
        message, hint = pair.value
        hints = self.code.texts(hint, pair.scope)
        for text in self.code.texts(message, pair.scope):
            self._add(text, hints, scope, "", message)

    def _text(self, node: ast.expr, scope: Scope) -> None:
        """Add a text that is printed as a whole."""
        for text in self.code.texts(node, scope):
            if str(text[0]).startswith("  hint: ") and self.said:
                self.found[self.said][_plain((str(text[0]).removeprefix("  hint: "), *text[1:]))] = None
                continue
            halves = _halves(text)
            if has_words(halves[0]) and not str(halves[0][0]).startswith(("installing", "dateline: exit", "  hint")):
                self._add(halves[0], [halves[1]] if halves[1] else [], scope, "", node)

    def _pass_on(
        self, node: ast.Call, function: Function, texts: list[tuple[Text, list[Text], str]], scope: Scope
    ) -> None:
        for values, inner in self._spread(node, scope):
            names = parameters(function)
            given = {name: Bound(value, inner) for name, value in arguments(node, function).items()}
            given |= dict(zip(names, values, strict=False))
            for bound in self._correlated(list(given.values()), inner):
                filled = {
                    name: self.code.texts(_expression(each), each.scope.binding(bound)) for name, each in given.items()
                }
                for text, hints, name in texts:
                    spread = [hint for each in hints for hint in _fill(each, filled)] if hints else []
                    for whole in _fill(text, filled):
                        self._add(whole, spread, scope, name, node)

    def _add(self, text: Text, hints: list[Text], scope: Scope, name: str, node: ast.AST) -> None:
        text = joined(text)
        words = {part.word for part in text if isinstance(part, Slot) and part.parameter}
        asked = {part.word for hint in hints for part in hint if isinstance(part, Slot) and part.parameter}
        function = scope.functions[-1] if scope.functions else None
        own = set(parameters(function)) if function else set()
        # Only these parameters pass on whole sentences; others are facts, for which a word stands.
        sentences = (words | asked) & own & {"message", "hint", "what", "problem"}
        if function and sentences and ({"message", "what"} & words & own or "hint" in asked & own):
            key = (scope.module.name, f"{scope.owner}.{function.name}")
            entry = (text, hints, name)
            if entry not in self.passing.setdefault(key, []):
                self.passing[key].append(entry)
            if {"message", "what"} & words & own:
                return
            hints = [hint for hint in hints if not (len(hint) == 1 and isinstance(hint[0], Slot))]
        if str(text[-1]).endswith(": "):  # the case in which there is nothing to say
            return
        if not has_words(text):
            slots = {part.word for part in text if isinstance(part, Slot)}
            if any(map(has_words, hints)) and slots == {"error"}:  # the words of another program
                text = (Slot("reason"),)
            elif slots and not slots & FORWARDED:
                self.unreadable.append(f"{scope.module.name}:{getattr(node, 'lineno', 0)}: {markdown(text)}")
            if text != (Slot("reason"),):
                return
        self.said = (scope.module.name.removeprefix("pipeline."), _plain(text), name)
        known = self.found.setdefault(self.said, {})
        known.update(dict.fromkeys(_plain(hint) for hint in hints if hint not in (("",), ())))


def _stored(node: ast.AST) -> ast.expr | None:
    """Return the pair of message and hint that ``node`` keeps for later, in one of the ways of the reader."""
    match node:
        case ast.Assign(
            targets=[ast.Subscript(value=ast.Attribute(attr="_found"))], value=ast.Tuple(elts=[_, _]) as pair
        ):
            return pair
        case ast.Call(
            func=ast.Attribute(attr="setdefault", value=ast.Attribute(attr="_found")),
            args=[_, ast.Tuple(elts=[_, _]) as pair],
        ):
            return pair
        case ast.Dict(keys=[ast.Constant(value="message"), ast.Constant(value="hint")], values=[message, hint]):
            return ast.Tuple(elts=[message, hint])
        case ast.Yield(value=ast.Tuple(elts=[_, message, hint, _])):
            return ast.Tuple(elts=[message, hint])
    return None


def _unpacked(target: ast.Tuple, row: Bound) -> dict[str, Bound]:
    assert isinstance(row.value, tuple)
    pairs = zip(target.elts, row.value, strict=False)
    return {each.id: Bound(value, row.scope) for each, value in pairs if isinstance(each, ast.Name)}


def _plain(text: Text) -> Text:
    return joined(tuple(Slot(part.word) if isinstance(part, Slot) else part for part in text))


def _fill(text: Text, filled: dict[str, list[Text]]) -> list[Text]:
    """Return ``text`` with the arguments of a call in place of its parameters."""
    choices = [
        filled.get(part.word, [(Slot(part.word),)]) if isinstance(part, Slot) and part.parameter else [(part,)]
        for part in text
    ]
    return [tuple(piece for each in choice for piece in each) for choice in product(*choices)][:40]


def _expression(bound: Bound) -> ast.expr:
    assert isinstance(bound.value, ast.expr)
    return bound.value


def _is_subscripted(name: str, parts: list[Bound]) -> bool:
    nodes = (node for part in parts for node in ast.walk(_expression(part)))
    return any(isinstance(n, ast.Subscript) and isinstance(n.value, ast.Name) and n.value.id == name for n in nodes)


def _halves(text: Text) -> tuple[Text, Text]:
    """Return message and hint of a text that has both."""
    for at, part in enumerate(text):
        if isinstance(part, str) and (found := re.split(r"\n(?:  )?hint: ", part, maxsplit=1))[1:]:
            return (*text[:at], found[0]), (found[1], *text[at + 1 :])
    return text, ()


# ── The page ────────────────────────────────────────────────────────────────────────────────────────────────────────


def page(messages: list[Message]) -> str:
    """Return docs/messages.md as it must be: the prose that it has, and ``messages``."""
    head = PAGE.read_text("utf-8").split(MARK)[0]
    parts = []
    for title, own in by_section(messages).items():
        hints: dict[str, dict[str, None]] = {}
        for message in own:
            hints.setdefault(_left(message), {}).update(dict.fromkeys(_right(message)))
        cells = sorted(hints.items(), key=lambda row: row[0].lower().lstrip("* …"))
        rows = [f"| {left} | {' *or:* '.join(_shortened(list(right)))} |\n" for left, right in cells]
        parts.append(f"\n## {title}\n\n| message | what to do |\n|---|---|\n{''.join(rows)}")
    return head + MARK + "".join(parts)


def by_section(messages: list[Message]) -> dict[str, list[Message]]:
    """Return the messages by the title of their section."""
    found: dict[str, list[Message]] = {title: [] for title in SECTIONS}
    for message in messages:
        fitting = [
            (len(prefix), title)
            for title, prefixes in SECTIONS.items()
            for prefix in prefixes
            if f"{message.module}.".startswith(f"{prefix}.")
        ]
        found[max(fitting)[1] if fitting else "Publishing and embargoes"].append(message)
    return found


def _left(message: Message) -> str:
    return markdown(message.text) + (f" [{message.name}]" if message.name else "")


def _right(message: Message) -> list[str]:
    hints = [markdown(hint) for hint in message.hints if has_words(hint)]
    return hints or [AS_SHOWN[message.module]] if message.module in AS_SHOWN else hints


def _shortened(hints: list[str]) -> list[str]:
    """Return the hints; of many, one with an ellipsis where they differ."""
    if len(hints) <= VARIANTS_SHOWN:
        return hints
    words = [hint.split() for hint in hints]
    begin = _common(words)
    end = min(_common([each[::-1] for each in words]), *(len(each) - begin for each in words))
    first = words[0]
    return [" ".join([*first[:begin], "…", *first[len(first) - end :]])] if begin > 3 else hints


def _common(texts: list[list[str]]) -> int:
    """Return how many words are the same at the beginning of all ``texts``."""
    return next((at for at, words in enumerate(zip(*texts, strict=False)) if len({*words}) > 1), min(map(len, texts)))


def markdown(text: Text) -> str:
    """Return a text for a cell of a table: what varies in italics, and every sign as it is printed."""
    shown = "".join(f"*{_shown(part.word)}*" if isinstance(part, Slot) else _escaped(part) for part in text)
    shown = re.sub(r"(?<=[^\s*])\*\*(?=[^\s*])", "* *", shown)  # two parts that vary, side by side
    return " ".join(shown.removeprefix("%").split())


def _shown(word: str) -> str:
    return WORDS.get(word) or word.strip("_").replace("_", " ").lower() or "…"


def _escaped(text: str) -> str:
    text = re.sub(r"([\\`*\[\]<>|~&])", r"\\\1", text)
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)


def pattern(message: Message) -> re.Pattern[str]:
    """Return what finds a message where it is printed."""
    parts = (".*" if isinstance(part, Slot) else re.escape(part.removeprefix("%")) for part in message.text)
    return re.compile("".join(parts), re.DOTALL)


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(collect()), "utf-8")
    print(f"{PAGE.relative_to(ROOT)} written")


if __name__ == "__main__":
    main()
