"""Texts in the source code, without running it: what a string expression can be, with a word for each part that varies.

``Code`` parses the package. ``Code.texts`` returns all texts that an expression can be; it follows names, constants,
f-strings, conditions, and calls of functions of the package. A text is a tuple of strings and of ``Slot``s.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import product
from pathlib import Path

VARIANTS = 8
"""More texts than this in one place are not listed: one word stands for them."""
PARTS = 4
"""The same for a part of an f-string."""
_DEPTH = 12
_SHOWN_AS_IS = {"printable", "str", "repr", "quoted", "sorted", "code_point", "dict", "map", "_safe", "said", "abs"}
"""Functions whose result is, to a reader, their argument."""
_STRING_METHODS = {"strip", "rstrip", "lstrip", "removeprefix", "removesuffix", "lower", "capitalize", "decode"}


@dataclass(frozen=True)
class Slot:
    """A part of a text that varies; ``parameter`` says that the caller of the function decides."""

    word: str
    parameter: bool = False


Text = tuple[str | Slot, ...]
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, eq=False)
class Scope:
    """Where an expression stands: its module, the functions around it, innermost last, and names that are bound."""

    module: Module
    functions: tuple[Function, ...] = ()
    owner: str = ""
    """The class around it."""
    bound: Mapping[str, Bound] = field(default_factory=dict)

    def binding(self, more: Mapping[str, Bound]) -> Scope:
        return Scope(self.module, self.functions, self.owner, {**self.bound, **more})


@dataclass(frozen=True, eq=False)
class Bound:
    """An expression, or a tuple of them, and where it stands."""

    value: ast.expr | tuple[ast.expr, ...]
    scope: Scope


@dataclass(eq=False)
class Module:
    """One file of the package."""

    name: str
    tree: ast.Module

    @cached_property
    def constants(self) -> dict[str, ast.expr]:
        found: dict[str, ast.expr] = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                found[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                found[node.target.id] = node.value
        return found

    @cached_property
    def imports(self) -> dict[str, tuple[str, str]]:
        found = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module:
                found.update({name.asname or name.name: (node.module, name.name) for name in node.names})
        return found

    @cached_property
    def functions(self) -> dict[str, tuple[Function, Scope]]:
        """By ``name`` and by ``Class.name``; nested ones by their name alone."""
        found: dict[str, tuple[Function, Scope]] = {}
        for node, scope in walk(self):
            if isinstance(node, Function):
                found.setdefault(f"{scope.owner}.{node.name}" if scope.owner else node.name, (node, scope))
                found.setdefault(node.name, (node, scope))
        return found


def walk(module: Module) -> Iterator[tuple[ast.AST, Scope]]:
    """Yield every node of ``module`` with the scope in which it stands."""

    def go(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
        for child in ast.iter_child_nodes(node):
            yield child, scope
            inner = scope
            if isinstance(child, Function):
                inner = Scope(module, (*scope.functions, child), scope.owner)
            elif isinstance(child, ast.ClassDef):
                inner = Scope(module, (), child.name)
            yield from go(child, inner)

    yield from go(module.tree, Scope(module))


@dataclass(frozen=True)
class Assignment:
    """A value that a name gets, and where: the line, and the blocks around it."""

    value: ast.expr
    line: int
    blocks: tuple[object, ...]


@cache
def _blocks(function: Function) -> dict[ast.AST, tuple[object, ...]]:
    """Return for each node of ``function`` the branches, loops and the like in which it stands, outermost first."""
    found: dict[ast.AST, tuple[object, ...]] = {}

    def go(node: ast.AST, blocks: tuple[object, ...]) -> None:
        for name, value in ast.iter_fields(node):
            inner = (
                (*blocks, (node, name))
                if isinstance(value, list) and isinstance(node, ast.stmt | ast.excepthandler)
                else blocks
            )
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    found[child] = inner
                    go(child, inner)

    go(function, ())
    return found


@cache
def _assignments(function: Function) -> dict[str, list[Assignment]]:
    """Return the values that ``function`` gives to each name, in order, without those that are unpacked."""
    found: dict[str, list[Assignment]] = {}
    blocks = _blocks(function)
    for node in ast.walk(function):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.NamedExpr) else None
        for target in targets if value else ():
            if isinstance(target, ast.Name) and value:
                found.setdefault(target.id, []).append(Assignment(value, target.lineno, blocks[node]))
    for each in found.values():
        each.sort(key=lambda assignment: assignment.line)
    return found


@cache
def _unpackings(function: Function) -> dict[str, tuple[ast.expr, int]]:
    """Return for each name that is unpacked from a tuple the value, and the place in it."""
    found = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            for at, each in enumerate(node.targets[0].elts):
                if isinstance(each, ast.Name):
                    found[each.id] = node.value, at
    return found


@cache
def _tested(function: Function) -> list[ast.expr]:
    """Return the values of ``if name := value``, which are not empty where the name is used."""
    return [node.value for node in ast.walk(function) if isinstance(node, ast.NamedExpr)]


@cache
def parameters(function: Function) -> list[str]:
    """Return the names of all parameters but ``self``, in order."""
    arguments = function.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def default(function: Function, name: str) -> ast.expr | None:
    """Return the default value of the parameter ``name``, None when it has none."""
    positional = [*function.args.posonlyargs, *function.args.args]
    by_name = dict(zip([each.arg for each in reversed(positional)], reversed(function.args.defaults), strict=False))
    by_name.update(
        {
            each.arg: value
            for each, value in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
            if value
        }
    )
    return by_name.get(name)


def has_words(text: Text) -> bool:
    """Whether a text says something by itself."""
    return bool(re.search(r"[^\W\d_]{2}", "".join(part for part in text if isinstance(part, str))))


class Code:
    """All modules of a package, by dotted name."""

    def __init__(self, folder: Path) -> None:
        self.modules = {}
        for file in sorted(folder.rglob("*.py")):
            name = ".".join(file.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
            self.modules[name] = Module(name, ast.parse(file.read_text("utf-8")))

    # Names

    def function(self, call: ast.Call, scope: Scope) -> tuple[Function, Scope] | None:
        """Return the function of the package that ``call`` calls, where that can be seen from its name."""
        if isinstance(call.func, ast.Name):
            return self._function_named(call.func.id, scope.module)
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            if call.func.value.id in ("self", "cls"):
                return scope.module.functions.get(f"{scope.owner}.{call.func.attr}")
            source = scope.module.imports.get(call.func.value.id)
            module = self.modules.get(".".join(source)) if source else None
            return module.functions.get(call.func.attr) if module else None
        return None

    def method(self, owner: str, name: str) -> tuple[Function, Scope] | None:
        """Return the method ``name`` of the class ``owner``, in whatever module it is."""
        return self._methods.get(f"{owner}.{name}")

    @cached_property
    def _methods(self) -> dict[str, tuple[Function, Scope]]:
        return {
            name: each for module in self.modules.values() for name, each in module.functions.items() if "." in name
        }

    def _function_named(self, name: str, module: Module, depth: int = 0) -> tuple[Function, Scope] | None:
        if found := module.functions.get(name):
            return found
        source = module.imports.get(name)
        if source and source[0] in self.modules and depth < 4:
            return self._function_named(source[1], self.modules[source[0]], depth + 1)
        return None

    def constant(self, name: str, module: Module, depth: int = 0) -> Bound | None:
        """Return the module-level constant ``name``, imported ones too."""
        if name in module.constants:
            return Bound(module.constants[name], Scope(module))
        source = module.imports.get(name)
        if source and source[0] in self.modules and depth < 4:
            return self.constant(source[1], self.modules[source[0]], depth + 1)
        return None

    @staticmethod
    def assigned(node: ast.Name, scope: Scope) -> tuple[list[ast.expr], bool]:
        """Return the values that a name can have where ``node`` stands, and whether it can be a parameter's.

        An assignment in the same block, or in one around it, replaces what was assigned before.
        """
        for function in reversed(scope.functions):
            values = _assignments(function).get(node.id, [])
            is_parameter = node.id in parameters(function)
            if values or is_parameter:
                around = _blocks(function).get(node, ())
                found: list[ast.expr] = []
                for each in reversed(
                    [each for each in values if each.line <= node.lineno or node not in _blocks(function)]
                ):
                    found.append(each.value)
                    if each.blocks == around[: len(each.blocks)] and not _mentions(each.value, node.id):
                        return found, False
                return found, is_parameter
        return [], False

    # Texts

    def texts(self, node: ast.expr | None, scope: Scope, depth: int = 0) -> list[Text]:
        """Return the texts that ``node`` can be, without doubles; a part that is not known is a slot."""
        if node is None or depth > _DEPTH:
            return [(Slot("…"),)]
        found = list(dict.fromkeys(joined(text) for text in self._texts(node, scope, depth)))
        return found if len(found) <= 4 * VARIANTS else [(Slot(_word(node)),)]

    def _texts(self, node: ast.expr, scope: Scope, depth: int) -> list[Text]:
        match node:
            case ast.Constant(value=value):
                return [(value,)] if isinstance(value, str) else [("",)] if value is None else [(str(value),)]
            case ast.JoinedStr():
                parts = [self._part(part, scope, depth) for part in node.values]
                return [tuple(piece for text in texts for piece in text) for texts in product(*parts)]
            case ast.BinOp(op=ast.Add()):
                pairs = product(self.texts(node.left, scope, depth + 1), self.texts(node.right, scope, depth + 1))
                return [(*left, *right) for left, right in pairs]
            case ast.IfExp():
                return self.texts(node.body, scope, depth + 1) + self.texts(node.orelse, scope, depth + 1)
            case ast.BoolOp(op=ast.Or()):
                return [text for value in node.values for text in self.texts(value, scope, depth + 1) if text != ("",)]
            case ast.BoolOp():
                return self.texts(node.values[-1], scope, depth + 1)
            case ast.NamedExpr():
                return self.texts(node.value, scope, depth + 1)
            case ast.Name():
                return self._named(node, scope, depth)
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int(at))) if name in scope.bound:
                bound = scope.bound[name]
                if isinstance(bound.value, tuple) and at < len(bound.value):
                    return self.texts(bound.value[at], bound.scope, depth + 1)
            case ast.Subscript(slice=ast.Slice()):
                return self.texts(node.value, scope, depth + 1)
            case ast.Subscript(value=ast.Name(id=name)) if constant := self.constant(name, scope.module):
                if isinstance(constant.value, ast.Dict):
                    texts = [t for v in constant.value.values for t in self.texts(v, constant.scope, depth + 1)]
                    if all(map(has_words, texts)) and len(texts) <= VARIANTS:
                        return texts
            case ast.Call():
                return self._called(node, scope, depth)
        number = self._number(node, scope)
        return [(number if number is not None else Slot(_word(node)),)]

    def _part(self, node: ast.expr, scope: Scope, depth: int) -> list[Text]:
        """Return the texts of a part of an f-string; where only some of them are known, a slot stands for all."""
        if not isinstance(node, ast.FormattedValue):
            return self.texts(node, scope, depth + 1)
        number = self._number(node.value, scope)
        if number is not None:
            return [(f"{int(number):,}" if "," in ast.unparse(node)[-6:] else number,)]
        texts = self.texts(node.value, scope, depth + 1)
        texts = [(Slot(_word(node.value)),)] if texts == [("",)] else texts
        known = all(any(isinstance(p, str) and p for p in text) or text == ("",) for text in texts)
        if any(isinstance(part, Slot) and part.parameter for text in texts for part in text):
            return texts[:VARIANTS]
        return texts if known and len(texts) <= PARTS else [(Slot(_word(node.value)),)]

    def _named(self, node: ast.Name, scope: Scope, depth: int) -> list[Text]:
        if bound := scope.bound.get(node.id):
            if isinstance(bound.value, ast.expr):
                return self.texts(bound.value, bound.scope, depth + 1)
            return [(Slot(_word(node)),)]
        values, is_parameter = self.assigned(node, scope)
        texts: list[Text] = [(Slot(_word(node), parameter=True),)] if is_parameter else []
        values = [value for value in values if not _mentions(value, node.id)]
        if values:
            for value in values:
                found = self.texts(value, scope, depth + 1)
                if value in _tested(scope.functions[-1]):
                    found = [text for text in found if text != ("",)]
                texts += [
                    text if any(map(has_words, [text])) or text == ("",) else (Slot(_word(node)),) for text in found
                ]
            return texts
        if not texts and (constant := self.constant(node.id, scope.module)):
            assert isinstance(constant.value, ast.expr)
            return self.texts(constant.value, constant.scope, depth + 1)
        return texts or [(Slot(_word(node)),)]

    def _called(self, node: ast.Call, scope: Scope, depth: int) -> list[Text]:
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name == "count" and len(node.args) == 2 and isinstance(node.args[1], ast.Constant):
            return [(Slot(f"number of {node.args[1].value!s}s"),)]
        if values := self._values_of_a_table(node, scope):
            return [text for value in values for text in self.texts(value, scope, depth + 1)]
        if name == "format" and isinstance(node.func, ast.Attribute):
            return [
                tuple(_filled(part) for whole in text for part in _split(whole))
                for text in self.texts(node.func.value, scope, depth + 1)
            ]
        if name in _STRING_METHODS and isinstance(node.func, ast.Attribute):
            return self.texts(node.func.value, scope, depth + 1)
        if name in _SHOWN_AS_IS:
            return [(Slot(_word(node)),)]
        if found := self.function(node, scope):
            texts = self.returned(node, *found, scope, depth)
            if texts and all(has_words(text) or text == ("",) for text in texts) and len(texts) <= VARIANTS:
                return texts
        return [(Slot(_word(node)),)]

    def _values_of_a_table(self, node: ast.Call, scope: Scope) -> list[ast.expr]:
        """Return what ``TABLE.get(key, default)`` or ``next((value for key, value in TABLE.items() …), "")`` can be."""
        match node:
            case ast.Call(func=ast.Attribute(attr="get", value=ast.Name() as table), args=[_, *default]):
                pass
            case ast.Call(
                func=ast.Name(id="next"),
                args=[
                    ast.GeneratorExp(
                        elt=ast.Name(id=name),
                        generators=[
                            ast.comprehension(
                                target=ast.Tuple(elts=[_, ast.Name(id=second)]),
                                iter=ast.Call(func=ast.Attribute(attr="items", value=ast.Name() as table)),
                            )
                        ],
                    ),
                    *default,
                ],
            ) if name == second:
                pass
            case _:
                return []
        constant = self.constant(table.id, scope.module)
        if not constant or not isinstance(constant.value, ast.Dict):
            return []
        # ``**dict.fromkeys(keys, value)`` has no key of its own.
        values = [
            each.args[1] if isinstance(each, ast.Call) and key is None else each
            for key, each in zip(constant.value.keys, constant.value.values, strict=True)
        ]
        return [*values, *default]

    def returned(self, call: ast.Call, function: Function, around: Scope, scope: Scope, depth: int) -> list[Text]:
        """Return the texts that a function can return when it is called so."""
        inner = self.inside(call, function, around, scope)
        values = [each.value for each in ast.walk(function) if isinstance(each, ast.Return) and each.value]
        return [text for value in values for text in self.texts(value, inner, depth + 2)]

    def inside(self, call: ast.Call, function: Function, around: Scope, scope: Scope) -> Scope:
        """Return the scope of the body of ``function`` with the arguments of ``call`` bound."""
        bound = {name: Bound(value, scope) for name, value in arguments(call, function).items()}
        return Scope(around.module, (*around.functions, function), around.owner, bound)

    def tuples(self, node: ast.expr, scope: Scope, depth: int = 0) -> list[Bound]:
        """Return the tuples that ``node`` can be; those that are not known are left out."""
        if depth > _DEPTH:
            return []
        match node:
            case ast.Tuple():
                return [Bound(tuple(node.elts), scope)]
            case ast.IfExp():
                return self.tuples(node.body, scope, depth + 1) + self.tuples(node.orelse, scope, depth + 1)
            case ast.BoolOp():
                return [each for value in node.values for each in self.tuples(value, scope, depth + 1)]
            case ast.NamedExpr():
                return self.tuples(node.value, scope, depth + 1)
            case ast.Dict():
                return [each for value in node.values for each in self.tuples(value, scope, depth + 1)]
            case ast.Subscript(value=ast.Call(), slice=ast.Constant(value=int(at))):
                return self._elements(node.value, at, scope, depth)
            case ast.Subscript():
                return self.tuples(node.value, scope, depth + 1)
            case ast.Name():
                values, _ = self.assigned(node, scope)
                for function in scope.functions[-1:]:
                    if node.id in (unpacked := _unpackings(function)):
                        value, at = unpacked[node.id]
                        return self._elements(value, at, scope, depth)
                if values:
                    return [each for value in values for each in self.tuples(value, scope, depth + 1)]
                constant = self.constant(node.id, scope.module)
                if constant and isinstance(constant.value, ast.expr):
                    return self.tuples(constant.value, constant.scope, depth + 1)
                return []
            case ast.Call(func=ast.Attribute(attr="get", value=value)):
                return self.tuples(value, scope, depth + 1)
            case ast.Call() if found := self.function(node, scope) or self._method_called(node, scope):
                function, around = found
                inner = self.inside(node, function, around, scope)
                values = [each.value for each in ast.walk(function) if isinstance(each, ast.Return) and each.value]
                return [each for value in values for each in self.tuples(value, inner, depth + 2)]
        return []

    def _elements(self, node: ast.expr, at: int, scope: Scope, depth: int) -> list[Bound]:
        """Return the tuples that are the element ``at`` of the tuples that ``node`` can be."""
        outer = [(each, each.value) for each in self.tuples(node, scope, depth + 1)]
        inside = [(value[at], each.scope) for each, value in outer if isinstance(value, tuple) and at < len(value)]
        return [each for value, where in inside for each in self.tuples(value, where, depth + 1)]

    @staticmethod
    def _method_called(call: ast.Call, scope: Scope) -> tuple[Function, Scope] | None:
        """Return the method of a class of the same module that ``call`` may call, by its name."""
        found = scope.module.functions.get(call.func.attr) if isinstance(call.func, ast.Attribute) else None
        return found if found and found[1].owner else None

    def _number(self, node: ast.expr, scope: Scope) -> str | None:
        """Return a number that is written in the code, as text."""
        try:
            value = self._computed(node, scope)
        except (ValueError, ZeroDivisionError):
            return None
        return f"{value:g}" if isinstance(value, float) else str(value)

    def _computed(self, node: ast.expr, scope: Scope) -> int | float:
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return value
            case ast.Name() if not self.assigned(node, scope)[0] and node.id not in scope.bound:
                constant = self.constant(node.id, scope.module)
                if constant and isinstance(constant.value, ast.expr):
                    return self._computed(constant.value, constant.scope)
            case ast.BinOp(op=ast.FloorDiv()):
                return self._computed(node.left, scope) // self._computed(node.right, scope)
            case ast.BinOp(op=ast.Mult()):
                return self._computed(node.left, scope) * self._computed(node.right, scope)
            case ast.BinOp(op=ast.Pow()):
                return int(self._computed(node.left, scope) ** self._computed(node.right, scope))
        raise ValueError(node)


def arguments(call: ast.Call, function: Function) -> dict[str, ast.expr]:
    """Return the arguments of ``call`` by the names that ``function`` has for them, defaults included."""
    names = parameters(function)
    found = {name: value for name in names if (value := default(function, name)) is not None}
    for name, value in zip(names, call.args, strict=False):
        if isinstance(value, ast.Starred):
            break
        found[name] = value
    found.update({each.arg: each.value for each in call.keywords if each.arg in names and each.arg})
    return found


def _is_name(node: ast.AST, name: str = "") -> bool:
    return isinstance(node, ast.Name) and name in ("", node.id)


def _mentions(node: ast.AST, name: str) -> bool:
    return any(_is_name(each, name) for each in ast.walk(node))


def joined(text: Text) -> Text:
    """Return a text whose neighbouring strings are one."""
    parts: list[str | Slot] = []
    for part in text:
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        elif part != "" or not text[1:]:
            parts.append(part)
    return tuple(parts) or ("",)


def _split(whole: str | Slot) -> list[str | Slot]:
    return [whole] if isinstance(whole, Slot) else list(re.split(r"(\{\w+\})", whole))


def _filled(part: str | Slot) -> str | Slot:
    return Slot(part[1:-1]) if isinstance(part, str) and re.fullmatch(r"\{\w+\}", part) else part


def _word(node: ast.AST) -> str:
    """Return the word that names what an expression is: that of a variable, an attribute or an argument."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value) | ast.NamedExpr(target=value) | ast.FormattedValue(value=value):
            return _word(value)
        case ast.BoolOp(values=[first, *_]) | ast.IfExp(body=first) | ast.BinOp(left=first):
            return _word(first)
        case ast.Call(func=ast.Attribute(attr="join"), args=[inner]) | ast.Starred(value=inner):
            return _word(inner)
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
            return name
        case ast.Call(func=ast.Name(id="map"), args=[_, inner]):
            return _word(inner)
        case ast.Call(func=ast.Name(id="len"), args=[inner]):
            return f"number of {_word(inner)}"
        case ast.Call(func=ast.Name(id=name), args=[inner, *_]) if name in _SHOWN_AS_IS:
            return _word(inner)
        case ast.Call(func=ast.Attribute(attr="pop" | "get"), args=[ast.Constant(value=str(name)), *_]):
            return name
        case ast.Call(func=ast.Attribute(attr="name", value=ast.Name(id="self"))):
            return "key"
        case ast.Call(func=ast.Attribute(attr="sub"), args=[*_, inner]):
            return _word(inner)
        case ast.Call(func=ast.Attribute(attr=name, value=value)):
            return _word(value) if name in {*_STRING_METHODS, "get", "group", "splitlines", "with_suffix"} else name
        case ast.Call(func=ast.Name(id=name)):
            return name
        case ast.GeneratorExp(elt=inner) | ast.ListComp(elt=inner):
            return _word(inner)
        case ast.List(elts=[first, *_]) | ast.Tuple(elts=[first, *_]):
            return _word(first)
    return "…"
