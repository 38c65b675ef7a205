"""Names get their meaning: assignments and Python blocks are run, headers become `Rule`s.

After this no name is unknown. Files are not looked at here, but for what the user's Python asks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from pybuild.content import digest_of
from pybuild.graph import VALUE_FOLDER, Traits
from pybuild.names import normalise
from pybuild.pipefile import syntax
from pybuild.pipefile.attributes import ATTRIBUTES, Invariant, Settings
from pybuild.pipefile.builtins import LoadTime, join_values
from pybuild.pipefile.evaluation import Evaluator, NotRun, Running
from pybuild.pipefile.fingerprint import Fingerprints
from pybuild.pipefile.header import (
    capture_span,
    captured,
    check_alike,
    has_percent,
    percent_text,
    plain,
)
from pybuild.pipefile.memory import NOTHING, Meaning, Memory, Outcome
from pybuild.pipefile.parse import text_word
from pybuild.pipefile.program import Reading
from pybuild.pipefile.recipe import (
    DEFAULT_SHELL,
    PLAIN_SHELL,
    Hook,
    PythonTemplate,
    RecipeTemplate,
    compile_call,
    compile_recipe,
    compile_value,
    names_in,
    text_holes,
)
from pybuild.pipefile.rules import (
    COLLATE,
    EACH,
    LITERAL,
    PATTERN,
    STATIC,
    TUPLE,
    VALUE,
    Pipeline,
    Rule,
)
from pybuild.pipefile.template import (
    FILE_PARTS,
    RESERVED,
    Hole,
    Template,
    as_names,
    check_parts,
    evaluate,
    holes_in,
)
from pybuild.pipefile.tuples import KINDS, PRODUCT, Way
from pybuild.pipefile.usercode import UserCode, is_written_as_list
from pybuild.pipefile.watch import noted
from pybuild.pipefile.words import Words
from pybuild.regex import regex
from pybuild.source import (
    BuildError,
    Diagnostic,
    Edit,
    Fix,
    Note,
    Source,
    Span,
    did_you_mean,
    joined,
    nearest_fixes,
)
from pybuild.typed import Any

_IDENTIFIER = regex(r"[A-Za-z_]\w*")
_OF_FILES = RESERVED - {"rule"}  # names whose values are files, or texts out of their names
_OF_INPUTS = frozenset(("input", "inputs"))
_LOST_NAME = "where `name=file` is the first target, the rule needs a name: `rule: name=file: ...`"


_AMONG_THE_OTHERS = "a file that a rule makes, or a folder, belongs among the prerequisites"
_HOOKS = "__before__"  # the name of the functions that run before recipes
_OF_HOOKS = ("inputs", "outputs")  # what they may take
_MOST_PRINTED = 80  # characters of what a command prints that are told as they are
_KEY = 12  # digits of a digest that are told

ReadTree = Callable[[str], tuple[syntax.Tree, list[Diagnostic]]]


class Resolver:
    """Works through trees, top to bottom, then makes the rules."""

    def __init__(
        self,
        load_time: LoadTime,
        prints: Fingerprints,
        read_tree: ReadTree,
        overrides: Mapping[str, str],
        environment_wins: bool = False,
        include_folders: Sequence[str] = (),
        is_makefile: Callable[[str], bool] = lambda _: False,
        evaluator: Evaluator | None = None,
        judged: bool = True,
        memory: Memory | None = None,
    ) -> None:
        self.load_time = load_time
        self.evaluator = evaluator or Running()
        self.judged = judged  # whether digests of recipes are wanted
        self.memory = memory
        self.prints = prints
        self.read_tree = read_tree
        self.overrides = overrides
        self.environment_wins = environment_wins
        self.include_folders = include_folders
        self.is_makefile = is_makefile
        self.out = Pipeline()
        self.namespace: dict[str, Any] = {
            "__name__": "__pipefile__",
            "__builtins__": __builtins__,
            **self.evaluator.builtins(load_time),
        }
        self.out.namespace = self.namespace
        self._sh = self.namespace["sh"]  # as it was before a block could give it another meaning
        self.builtin_names = frozenset(self.namespace)
        self.nodes: list[syntax.Rule] = []
        self.rule_names: dict[str, Span] = {}
        self.value_names: set[str] = set()
        self.words = Words(self.namespace, self.out.variables, self.rule_names)
        self._reading: list[str] = []
        self._no_settings = Settings(Span(Source("", ""), 0, 0))  # of all rules without attributes

    def complain(
        self,
        code: str,
        message: str,
        span: Span | None,
        help: str = "",
        notes: tuple[Note, ...] = (),
        fixes: tuple[Fix, ...] = (),
    ) -> None:
        self.out.diagnostics.append(Diagnostic(code, message, span, notes, help, fixes=fixes))

    # -- statements ------------------------------------------------------------------------

    def read(self, tree: syntax.Tree) -> None:
        """Runs the statements of a tree in order; rules are kept for `finish`."""
        if "Path" not in self.namespace and "Path" in tree.source.text:
            from pathlib import Path

            self.namespace["Path"] = Path
        self._reading.append(tree.source.name)
        for statement in tree.statements:
            try:
                if isinstance(statement, syntax.Assignment):
                    self._assign(statement)
                elif isinstance(statement, syntax.PythonBlock):
                    self._execute(statement)
                elif isinstance(statement, syntax.Include):
                    self._include(statement)
                elif isinstance(statement, syntax.Rule):
                    self._keep(statement)
                elif isinstance(statement, syntax.Invalid):
                    self.words.lost |= statement.names
            except BuildError as error:
                self.out.diagnostics.extend(error.diagnostics)
        self._reading.pop()

    def take(self, reading: Reading) -> syntax.Tree:
        """What a program comes to: its names are known from now on, the files that it has read
        count as included. Returns its tree."""
        self.namespace.update(reading.names)
        for name, span in reading.files:
            with noted():
                is_there = os.path.exists(name)
            if is_there:
                self.out.included.append(normalise(name))
            else:
                self.out.missing.append((normalise(name), span, False))
        return reading.tree

    def override(self, name: str, text: str) -> None:
        """`NAME=value` of the command line, known before the file is read."""
        if self._is_taken(name, None):
            return
        self.namespace.setdefault(name, text)
        self.out.variables.setdefault(name, text)
        self.out.origins.setdefault(name, "command line")

    def _is_taken(self, name: str, span: Span | None) -> bool:
        """Whether a name can't be assigned, of which it complains."""
        if name not in RESERVED and name not in self.builtin_names:
            return False
        what = "a name that every job has" if name in RESERVED else "a builtin"
        self.complain("PB203", f"`{name}` is {what} and can't be assigned", span)
        return True

    def _assign(self, node: syntax.Assignment) -> None:
        name = node.name
        if self._is_taken(name, node.span):
            return
        if name in self.overrides:
            value: Any = self._override(node, self.overrides[name])
            origin = "command line"
        elif (node.operator == "?=" or self.environment_wins) and self.load_time.knows(name):
            value, origin = self.load_time.env(name), "environment"
        elif self._keeps_its_value(node):
            return
        else:
            self.words.lost.add(name)  # unless it gets a value
            value, origin = self._evaluate(node.expression), "file"
            if node.operator == "+=" and name in self.out.variables:
                value = self._joined(node, self.out.variables[name], value)
            self.words.lost.discard(name)
        self.out.variables[name] = self.namespace[name] = value
        self.out.origins[name] = origin

    def _keeps_its_value(self, node: syntax.Assignment) -> bool:
        """Whether an assignment has no effect: there is a value, or one that is not known."""
        if node.operator == "?=":
            return node.name in self.out.variables or self.words.is_lost(node.name)
        return node.operator == "+=" and node.name in self.words.lost

    def _override(self, node: syntax.Assignment, text: str) -> Any:
        """A text from the command line; it becomes a list where the file gives a list."""
        if is_written_as_list(node.expression.text):
            import shlex

            try:
                return shlex.split(text)
            except ValueError:
                return text.split()
        return text

    def _joined(self, node: syntax.Assignment, old: Any, new: Any) -> Any:
        def join() -> Any:
            try:
                return join_values(old, new)
            except TypeError:
                raise BuildError(
                    Diagnostic(
                        "PB206",
                        f"`+=` cannot add a {type(new).__name__} to a {type(old).__name__}",
                        node.span,
                        help="add texts to texts and lists to lists",
                    )
                ) from None

        return self._run(join, node.expression.span, "PB207")

    def _evaluate(self, expression: syntax.PythonText) -> Any:
        help = _LOST_NAME if ":" in expression.text else ""
        code = self.evaluator.expression(expression, help=help)
        return self._run(lambda: code(self.namespace), expression.span, "PB207")

    def _run(self, call: Callable[[], Any], span: Span, code: str) -> Any:
        """What a call of user code gives; the working folder stays. Raises BuildError, without
        complaints if the code only misses a name that is lost, or may be."""
        try:
            with self.evaluator.staying(), UserCode(span, code):
                return call()
        except BuildError as error:
            cause = error.__cause__
            lost, is_open = self.words.lost, self.words.is_open
            if isinstance(cause, NameError) and (is_open or cause.name in lost):
                raise BuildError() from None
            raise

    def _execute(self, node: syntax.PythonBlock) -> None:
        source = node.span.source
        try:
            code = self.evaluator.block(node, self.prints)
            self._run(lambda: code(self.namespace), node.span, "PB208")
        except NotRun as unknown:
            self._lose(unknown)
            return
        except BuildError:
            text = source.text[node.block.span.start : node.block.span.end]
            self.words.lost.update(_IDENTIFIER.findall(text))
            raise
        for name in self.overrides:
            if name in self.out.variables and name in self.namespace:
                self.out.variables[name] = self.namespace[name]

    def _lose(self, unknown: NotRun) -> None:
        """What was not run would have given these names a value, whatever they had before."""
        self.words.lost |= unknown.names
        self.words.is_open = self.words.is_open or unknown.names_any
        for name in unknown.names & self.out.variables.keys():
            del self.out.variables[name], self.namespace[name]

    def _include(self, node: syntax.Include) -> None:
        for word in node.words:
            try:
                for name in self._include_names(word):
                    self._include_one(name, word.span, node.optional)
            except BuildError as error:
                if not error.diagnostics:  # which file it is depends on what is not known
                    self.words.is_open = True
                self.out.diagnostics.extend(error.diagnostics)

    def _include_names(self, word: syntax.Word) -> list[str]:
        templates = self.words.templates([word], {}, frozenset(), where="include")
        names = []
        for each in templates:
            literal = each.literal
            if literal is None:
                found = self.load_time.find(str(each))
                if not found:
                    raise BuildError(Diagnostic("PB209", f"nothing matches `{each}`", word.span))
                names += found
            else:
                names.append(literal)
        return names

    def _include_one(self, name: str, span: Span, optional: bool) -> None:
        places = (name, *(f"{folder}/{name}" for folder in self.include_folders))
        with noted():
            path = next(filter(os.path.exists, places), None)
        if path is None:
            self.out.missing.append((normalise(name), span, optional))
            return
        if path in self._reading:
            chain = " -> ".join([*self._reading, path])
            raise BuildError(Diagnostic("PB210", f"these include each other: {chain}", span))
        if self.is_makefile(path):
            self.out.makefiles.setdefault(path, span)
            return
        self.out.included.append(normalise(path))
        try:
            tree, diagnostics = self.read_tree(path)
        except BuildError as error:
            raise error.at(span) from None
        self.out.diagnostics.extend(diagnostics)
        self.read(tree)

    def _keep(self, node: syntax.Rule) -> None:
        first = node.segments[0]
        if len(first) == 1 and len(node.segments) == 2 and plain(first[0]) == ".PHONY":
            for word in node.segments[1]:
                name = plain(word)
                if name is None:
                    self.complain("PB217", "`.PHONY` takes plain names", word.span)
                else:
                    self.out.phony[name] = word.span
            return
        special = plain(first[0]) if len(first) == 1 else None
        if special and special in _MAKE_SPECIAL:
            self.complain(
                "PB218", f"`{special}` belongs to Makefiles", first[0].span, _MAKE_SPECIAL[special]
            )
            return
        self.nodes.append(node)

    # -- rules -----------------------------------------------------------------------------

    def finish(self) -> Pipeline:
        """Makes the rules, now that all names are known."""
        for node in self.nodes:
            name = self._name_of(node)
            if name is not None:
                self._declare(name)
                if node.kind == VALUE:
                    self.value_names.add(plain(name) or "")
        self.out.values = frozenset(self.value_names)
        for node in self.nodes:
            outcome = self.memory.recall(node, self) if self.memory else None
            self._take(node, outcome or self._outcome(node))
        if self.memory is not None:
            self.memory.turn()
        self._check_follows()
        self.out.is_open = self.words.is_open
        return self.out

    def _outcome(self, node: syntax.Rule) -> Outcome:
        """What a rule comes to, by all that is known."""
        before = self._effects()
        count = len(self.out.diagnostics)
        rule = None
        try:
            rule = self._rule(node)
        except BuildError as error:
            self.out.diagnostics.extend(error.diagnostics)
        outcome = Outcome(rule, tuple(self.out.diagnostics[count:]))
        del self.out.diagnostics[count:]
        if self.memory is not None and before == self._effects():
            self.memory.keep(node, outcome, self)
        return outcome

    def meaning(self, name: str) -> Meaning:
        """What a name means to rules. Builtins mean the same in all readings."""
        value = self.namespace.get(name, NOTHING) if name not in self.builtin_names else None
        words = self.words
        is_lost = name in words.lost
        return Meaning(value, name in self.out.variables, name in self.rule_names, is_lost)

    def any_means(self, names: frozenset[str]) -> bool:
        """Whether any of some names means something."""
        return not (
            self.namespace.keys().isdisjoint(names)
            and self.rule_names.keys().isdisjoint(names)
            and self.words.lost.isdisjoint(names)
        )

    def all_names(self) -> tuple[str, ...]:
        """All names of the file."""
        return (*self.out.variables, *self.rule_names, *self.namespace)

    def in_common(self) -> tuple[object, ...]:
        """What counts for all rules."""
        return self.words.is_open, self.out.values, tuple(self.out.phony)

    def _effects(self) -> tuple[int, ...]:
        """What changes if a rule means something to those below it, besides its outcome."""
        hooks = self.namespace.get(_HOOKS, ())
        lost, is_open = self.words.lost, self.words.is_open
        return len(lost), is_open, len(self.out.unclear), len(self.out.pools), len(hooks)

    def _take(self, node: syntax.Rule, outcome: Outcome) -> None:
        """Puts what a rule came to behind those before it."""
        self.out.diagnostics += outcome.diagnostics
        rule = outcome.rule
        if rule is None:
            self.out.lost.append(node.span)
            return
        rule.index = len(self.out.rules)
        self.out.rules.append(rule)
        if rule.name and rule.name not in self.out.named:
            self.out.named[rule.name] = rule
        is_goal = rule.flavour != PATTERN and rule.settings.active and not rule.value
        if self.out.default is None and is_goal:
            head = rule.targets[0].literal if rule.targets else None
            if head is None or not head.startswith(".") or "/" in head:
                self.out.default = rule

    def _name_of(self, node: syntax.Rule) -> syntax.Word | None:
        if node.kind == VALUE:
            return node.segments[0][0]
        if len(node.segments) == 3 and not has_percent(node.segments[1]):
            return node.segments[0][0]
        return None

    def _declare(self, word: syntax.Word) -> None:
        name = plain(word) or ""
        if not _IDENTIFIER.fullmatch(name):
            return
        if name in self.rule_names:
            self.complain(
                "PB202",
                f"a second rule with the name `{name}`",
                word.span,
                notes=(Note("the first one", self.rule_names[name]),),
            )
        elif name in RESERVED:
            self.complain("PB203", f"`{name}` is a name that every job has", word.span)
        elif name in self.namespace:
            self.complain(
                "PB202",
                f"`{name}` is a variable or function already",
                word.span,
                "give the rule or the variable another name",
            )
        else:
            self.rule_names[name] = word.span

    def _rule(self, node: syntax.Rule) -> Rule:
        name = ""
        targets, prerequisites = node.segments[0], node.segments[-1]
        static: tuple[syntax.Word, ...] = ()
        if node.kind == VALUE:
            name, targets = self._checked_value(node), ()
        elif len(node.segments) == 3:
            if has_percent(node.segments[1]):
                static = node.segments[1]
            else:
                name = self._checked_name(node.segments[0])
                targets = node.segments[1]
        if node.kind == "split" and node.block is None:
            self.complain(
                "PB205",
                "a `split` without a recipe",
                node.span,
                "its outputs are what its recipe leaves: write one below the header",
            )
        settings = self._settings(node)
        driving = [text_word(text, at, alias) for text, alias, at in settings.driving]
        prerequisites = (*driving, *prerequisites)
        if settings.cached and node.kind != VALUE:
            self.complain("PB205", "`@cached` stands above a rule that is no `value`", node.span)
        recipe = None
        if isinstance(node.block, syntax.Block):
            recipe = compile_recipe(node.block, self.out.diagnostics)
        if node.kind == VALUE and not isinstance(node.block, syntax.FunctionCall):
            self._check_value(node, settings, recipe)
        return self._build(node, name, targets, static, prerequisites, settings, recipe)

    def _checked_value(self, node: syntax.Rule) -> str:
        """The name of a value. Raises BuildError if its header names more."""
        if len(node.segments) == 3 or node.grouped or len(node.segments[0]) != 1:
            raise BuildError(
                Diagnostic(
                    "PB205",
                    "a `value` has a name and prerequisites, and no targets",
                    node.span,
                    help="`value name: prerequisites`",
                )
            )
        return self._checked_name(node.segments[0])

    def _check_value(
        self, node: syntax.Rule, settings: Settings, recipe: RecipeTemplate | None
    ) -> None:
        """The recipe of a value is one block that returns something, its outcome no file."""
        parts = recipe.parts if recipe else ()
        if node.block is None or len(parts) != 1 or not isinstance(parts[0], PythonTemplate):
            if node.block is None or not self.out.errors():
                self.complain(
                    "PB205",
                    "the recipe of a `value` is one block of Python",
                    node.span,
                    "write `python:` below the header, and code that ends in a `return` below that",
                )
        elif not parts[0].returns:
            self.complain(
                "PB205",
                "this block returns nothing",
                parts[0].span,
                "what it returns is the value: end it with `return ...`",
            )
        for attribute, is_set in (
            ("temp", settings.temporary),
            ("atomic", settings.atomic),
            ("phony", settings.phony),
            ("service", settings.service),
        ):
            if is_set:
                self.complain("PB205", f"`@{attribute}` has no meaning above a `value`", node.span)

    def _checked_name(self, words: tuple[syntax.Word, ...]) -> str:
        name = plain(words[0]) or ""
        if len(words) != 1 or not _IDENTIFIER.fullmatch(name):
            kinds = ["split", COLLATE, VALUE, *KINDS] if len(words) == 2 else []  # one is misspelt
            raise BuildError(
                Diagnostic(
                    "PB205",
                    "what stands before the first colon should be one name for the rule",
                    Span(words[0].span.source, words[0].span.start, words[-1].span.end),
                    help=did_you_mean(name, kinds)
                    or "`name: targets: prerequisites`; a static pattern rule has a `%` in its "
                    "middle part",
                    fixes=nearest_fixes(name, kinds, words[0].span),
                )
            )
        return name

    def _build(
        self,
        node: syntax.Rule,
        name: str,
        target_words: Sequence[syntax.Word],
        static: tuple[syntax.Word, ...],
        prerequisite_words: Sequence[syntax.Word],
        settings: Settings,
        recipe: RecipeTemplate | None,
    ) -> Rule:
        aliases: dict[str, Span] = {}
        for word in (*target_words, *prerequisite_words, *node.order_only):
            if word.alias:
                self._add_alias(word, aliases)
        local = {**dict.fromkeys(aliases, None), **settings.params}
        percent = has_percent(target_words) and not static
        captures = self._captures_of(prerequisite_words, local)
        if isinstance(node.block, syntax.FunctionCall):
            names = self._parameters(node.block, local, captures)
            recipe = compile_call(node.block, names, returns=node.kind == VALUE)
        params = self._params(settings)
        self._check_names(settings, recipe, params, captures, frozenset(aliases))
        self._check_params(params)
        targets, prerequisites, order_only = self._header(
            (target_words, prerequisite_words, node.order_only), local, captures
        )
        if node.kind == VALUE:
            targets = self._value_targets(name, node.segments[0][0].span, settings)
        if self.value_names:
            self._check_values_taken(targets, prerequisites, order_only)
        label = name or " ".join(map(str, targets)) or "rule"
        flavour = self._flavour(node, targets, static, percent)
        if settings.driving:
            self._check_driving(node, settings, flavour, targets)
        drivers: list[Template] = []
        places: list[int] = []
        if flavour in (EACH, COLLATE, TUPLE):
            drivers, places, others, count = self._drivers(
                node, prerequisite_words, len(settings.driving), local, captures
            )
            prerequisites = others + prerequisites[count:]
        bound = dict.fromkeys(name for each in drivers for name in captured(each))
        rule = Rule(
            -1,  # until it is taken
            name,
            flavour,
            node.kind == "split",
            node.span,
            targets,
            drivers,
            prerequisites,
            order_only,
            tuple(bound),
            settings,
            self._traits(node, label, targets, settings),
            recipe,
            node.grouped or node.kind == VALUE or any(each.alias for each in targets),
            params,
        )
        rule.places = places
        rule.value = node.kind == VALUE
        if node.kind != PRODUCT:
            check_alike(drivers)
        for each in drivers:
            if each.rule in self.value_names:
                raise BuildError(
                    Diagnostic(
                        "PB215",
                        f"`<{each.rule}>` is a value and no file: it can't drive a rule",
                        each.span,
                        help="put it behind the first prerequisite",
                    )
                )
        if flavour == TUPLE:
            rule.way = self._way(node, rule)
        if flavour in (PATTERN, STATIC):
            self._percent(rule, static)
        self._check_captures(rule, (*prerequisite_words, *target_words, *node.order_only), captures)
        if captures & self.words.lost or (captures and self.words.is_open and flavour == LITERAL):
            raise BuildError()  # what looks like a capture is a variable without a value
        if recipe is not None:
            self._check_rules_near(rule, recipe)
            self._take_values(rule, recipe)
            self._finish_recipe(rule, recipe)
        return rule

    def _value_targets(self, name: str, span: Span, settings: Settings) -> list[Template]:
        """The files that stand for an object."""
        files = [VALUE_FOLDER + name]
        if settings.cached:
            files.append(f"{VALUE_FOLDER}{name}.pickle")
        return [Template(span, (each,)) for each in files]

    def _check_values_taken(self, *headers: Sequence[Template]) -> None:
        """Complains of values among prerequisites that are not words of their own."""
        for template in (each for templates in headers for each in templates):
            if template.rule in self.value_names and template.alias:
                self.complain(
                    "PB215",
                    f"`<{template.rule}>` is a value and has its name already",
                    template.span,
                    f"write `<{template.rule}>` alone",
                )
            holes = [piece for piece in template.pieces if isinstance(piece, Hole)]
            for hole in [*holes, *([template.call] if template.call else [])]:
                for name in self.value_names.intersection(names_in(hole.reference)):
                    self._refuse_value(name, hole.span)

    def _refuse_value(self, name: str, span: Span) -> None:
        self.complain(
            "PB215",
            "a value can be used in Python only",
            span,
            f"`{name}` is made by a `value`: name it in a `python:` block",
        )

    def _take_values(self, rule: Rule, recipe: RecipeTemplate) -> None:
        """The values that the blocks of a recipe take; they have to be prerequisites."""
        if rule.value:
            recipe.value = rule.name
            for part in recipe.parts:
                if isinstance(part, PythonTemplate):  # it may return what it defines
                    self.prints.register(part.span.source.name, part.tree)
        if not self.value_names:
            return
        near = {each.rule for each in (*rule.prerequisites, *rule.order_only)}
        recipe.values = frozenset(self.value_names & near)
        for part in recipe.parts:
            if not isinstance(part, PythonTemplate):
                continue
            for name in sorted(self.value_names.intersection(part.names - part.own) - near):
                self.complain(
                    "PB215",
                    f"the value `{name}` is no prerequisite of this rule",
                    part.span,
                    f"add `<{name}>` to the prerequisites, or behind `|`",
                )

    def _header(
        self,
        segments: Sequence[Sequence[syntax.Word]],
        local: Mapping[str, Any],
        captures: frozenset[str],
    ) -> list[list[Template]]:
        """Targets, prerequisites and order-only prerequisites. Raises BuildError with all that is
        wrong in any of them."""
        found: list[list[Template]] = []
        failed: list[BuildError] = []
        for words in segments:
            where = "prerequisite" if found or failed else "target"
            try:
                found.append(self.words.templates(words, local, captures, where))
            except BuildError as error:
                failed.append(error)
        if failed:
            raise joined(failed)
        return found

    def _add_alias(self, word: syntax.Word, aliases: dict[str, Span]) -> None:
        if word.alias in RESERVED:
            self.complain("PB203", f"`{word.alias}` is a name that every job has", word.span)
        elif word.alias in aliases:
            self.complain(
                "PB202",
                f"`{word.alias}=` twice in one rule",
                word.span,
                notes=(Note("the first one", aliases[word.alias]),),
            )
        aliases.setdefault(word.alias, word.span)

    def _captures_of(
        self, words: Sequence[syntax.Word], local: Mapping[str, Any]
    ) -> frozenset[str]:
        """The names in prerequisites that have no other meaning."""
        found = set()
        for word in words:
            for piece in word.pieces:
                if isinstance(piece, syntax.Placeholder):
                    name = piece.reference.name
                    if piece.regex is not None or (
                        not piece.reference.trailers and not self.words.is_known(name, local)
                    ):
                        found.add(name)
        return frozenset(found)

    def _flavour(
        self,
        node: syntax.Rule,
        targets: list[Template],
        static: tuple[syntax.Word, ...],
        percent: bool,
    ) -> str:
        if static:
            return STATIC
        if percent and not node.kind:
            return PATTERN
        if not node.kind and any(each.has_wildcards for each in targets):
            wild = next(each for each in targets if each.has_wildcards)
            raise BuildError(
                Diagnostic(
                    "PB214",
                    f"`{wild}` among the targets is a glob",
                    wild.span,
                    help="only a `split` has targets that are known after its run",
                )
            )
        if node.kind == "collate":
            return COLLATE
        if node.kind.partition("(")[0] in KINDS:
            return TUPLE
        return EACH if any(each.has_holes for each in targets) else LITERAL

    def _check_driving(
        self, node: syntax.Rule, settings: Settings, flavour: str, targets: list[Template]
    ) -> None:
        """What `@for_each` can't stand above, and how it can't be written. Raises BuildError."""
        _, _, place = settings.driving[0]
        if len(settings.driving) > 1 and node.kind != PRODUCT:
            named = next((each for each in settings.driving if each[1]), None)
            if named is not None:
                raise BuildError(
                    Diagnostic(
                        "PB205",
                        f"`{named[1]}=` names one of several words, any of which drives the rule",
                        named[2],
                        help="only one word, or those of a `product`, can have names",
                    )
                )
        if flavour not in (EACH, COLLATE, TUPLE):
            raise BuildError(
                Diagnostic(
                    "PB205",
                    "`@for_each` above a rule whose targets are the same for each file",
                    place,
                    help="fill in the targets: with a capture, or a part such as `<basename>`",
                )
            )
        for target in targets:
            for piece in target.pieces:
                if isinstance(piece, Hole) and _OF_INPUTS.intersection(names_in(piece.reference)):
                    raise BuildError(
                        Diagnostic(
                            "PB215",
                            f"`{piece}` is not known yet in a target of a rule with `@for_each`",
                            piece.span,
                            help="a file that drives the rule has a name by "
                            '`@for_each(name="...")`, its parts by `<name.basename>`; or use '
                            "captures",
                        )
                    )

    def _drivers(
        self,
        node: syntax.Rule,
        words: Sequence[syntax.Word],
        named: int,
        local: Mapping[str, Any],
        captures: frozenset[str],
    ) -> tuple[list[Template], list[int], list[Template], int]:
        """What drives a rule, the place that the matches of each have in what makes a job, and of
        the leading words those that drive nothing, with the number of templates that these words
        are. In a product all words drive that name several files and ask for nothing that only a
        job can tell. The first `named` words are those of `@for_each`: then they all drive, and no
        others."""
        drivers: list[Template] = []
        places: list[int] = []
        others: list[Template] = []
        count = following = 0
        for word in words[: named or (len(words) if node.kind == PRODUCT else 1)]:
            templates = self.words.templates([word], local, captures, where="prerequisite")
            count += len(templates)
            if not (named or node.kind != PRODUCT or self._may_drive(templates)):
                others += templates
                continue
            some = templates or self._no_files(word)
            drivers += some
            places += [following] * len(some)
            following += node.kind == PRODUCT
        return drivers, places, others, count

    def _no_files(self, word: syntax.Word) -> list[Template]:
        """A driver for a word whose list is empty: it is asked for late, and gives no file."""
        for piece in word.pieces:
            if isinstance(piece, syntax.Placeholder) and piece.reference.name in self.namespace:
                value = evaluate(piece.reference, self.namespace.__getitem__, piece.span)
                if not as_names(value, piece.span):
                    hole = Hole(piece.reference, piece.span)
                    return [Template(word.span, alias=word.alias, call=hole)]
        return []

    def _may_drive(self, templates: Sequence[Template]) -> bool:
        if len(templates) == 1 and templates[0].literal is not None:
            return False
        if any(each.rule in self.value_names for each in templates):
            return False
        for each in templates:
            if any(isinstance(piece, Hole) for piece in each.pieces):
                return False
            if each.call and any(
                name not in self.namespace for name in names_in(each.call.reference)
            ):
                return False
        return True

    def _way(self, node: syntax.Rule, rule: Rule) -> Way:
        """How the files of a rule are taken together. Raises BuildError."""
        kind, _, size_text = node.kind.partition("(")
        if kind == PRODUCT:
            drivers = zip(rule.places, rule.drivers, strict=True)
            names = {place: captured(each) for place, each in drivers}
            if not names:
                raise BuildError(
                    Diagnostic(
                        "PB205",
                        "a `product` needs prerequisites that several files match",
                        node.span,
                        help="`product a_b: out/<a.basename>-<b.basename>: a=left/* b=right/*`",
                    )
                )
            return Way(kind, len(names), tuple(names.values()))
        text = size_text.rstrip(")").strip()
        size = self.out.variables.get(text, text)
        if isinstance(size, str) and size.isdecimal():
            size = int(size)
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise BuildError(
                Diagnostic(
                    "PB205",
                    f"`{node.kind}`: how many files make a job is a whole number from 1",
                    node.span,
                    help=f"for pairs: `{kind}(2)`",
                )
            )
        return Way(kind, size, (rule.captures,) * size)

    # -- checks ----------------------------------------------------------------------------

    def _percent(self, rule: Rule, static: tuple[syntax.Word, ...]) -> None:
        """The `%` texts of a pattern or static pattern rule."""
        patterns = (
            self.words.templates(static, {}, frozenset(), where="target")
            if static
            else rule.targets
        )
        if static and len(patterns) != 1:
            raise BuildError(
                Diagnostic("PB205", "a static pattern rule has one target pattern", rule.span)
            )
        rule.patterns = [percent_text(each) for each in patterns]
        if any("%" not in text for text in rule.patterns):
            raise BuildError(
                Diagnostic(
                    "PB205",
                    "targets with and without `%` in one rule",
                    rule.span,
                    help="write two rules",
                )
            )
        rule.sources = [percent_text(each) for each in rule.prerequisites]
        rule.later = [percent_text(each) for each in rule.order_only]

    def _check_captures(
        self, rule: Rule, words: Sequence[syntax.Word], captures: frozenset[str]
    ) -> None:
        if rule.flavour in (PATTERN, STATIC):
            for name in sorted(captures):
                self.complain(
                    "PB201",
                    f"`<{name}>` is not known here",
                    capture_span(words, name, rule.span),
                    "in a rule with `%` the matched text is `<stem>`",
                )
            return
        used = {
            name
            for target in rule.targets
            for piece in target.pieces
            if isinstance(piece, Hole)
            for name in names_in(piece.reference)
        }
        for text in [rule.params[name] for name in used if name in rule.params]:
            used |= {name for hole in holes_in(text) for name in names_in(hole.reference)}
        unbound = sorted(captures.difference(rule.captures) - self.words.lost)
        if rule.flavour == LITERAL or self.words.is_open:
            unbound = []
        for name in unbound:
            self.complain(
                "PB204",
                f"`<{name}>` is bound by no driver",
                capture_span(words, name, rule.span),
                "only the driver binds captures: the first prerequisite, or what `@for_each` names",
            )
        unused = sorted(captures - used - set(unbound) - self.words.lost)
        if (rule.flavour == COLLATE and used & captures) or self.words.is_open:
            unused = []
        if rule.way is not None:
            unused = [name for name in unused if name not in rule.way.shared]
        for name in unused:
            known = [*self.out.variables, *self.rule_names]
            place = capture_span(words, name, rule.span)
            self.complain(
                "PB204",
                f"the capture `<{name}>` is used by no target",
                place,
                did_you_mean(name, known)
                or "use it in a target, write `*` for any text, or `collate` by the others",
                fixes=nearest_fixes(name, known, place),
            )

    def _check_names(
        self,
        settings: Settings,
        recipe: RecipeTemplate | None,
        params: Mapping[str, Any],
        captures: frozenset[str],
        aliases: frozenset[str],
    ) -> None:
        """Placeholders in the recipe and in the texts of attributes: names that mean nothing, and
        parts that no file has. Those in `@params` know nothing of `@params`."""
        of_files = _OF_FILES | captures | aliases
        inside = dict.fromkeys(aliases)
        local = {**inside, **dict.fromkeys(params)}
        holes = [(hole, "recipe", local) for hole in recipe.holes] if recipe else []
        for text, place in settings.places.items():
            holes += [(hole, "attribute", local) for hole in text_holes(text, place)]
        for value in params.values():
            holes += [(hole, "attribute", inside) for hole in holes_in(value)]
        for hole, where, known in holes:
            for name in names_in(hole.reference):
                if name in self.value_names and name not in captures and name not in known:
                    self._refuse_value(name, hole.span)
                if not (name in captures or self.words.is_known(name, known)):
                    self.out.diagnostics += self.words.unknown(
                        name, hole.span, known, captures, where
                    )
            if hole.reference.name in of_files:
                try:
                    check_parts(hole.reference, hole.span)
                except BuildError as error:
                    self.out.diagnostics += error.diagnostics

    def _parameters(
        self, call: syntax.FunctionCall, local: Mapping[str, Any], captures: frozenset[str]
    ) -> list[str]:
        """The parameters of a function that is a recipe which get a value: each is a name that a
        job has."""
        own = {*captures, *RESERVED, *local, *self.out.variables}
        for name in call.required:
            if name not in own and name not in self.rule_names:
                self.complain(
                    "PB201",
                    f"`{name}`, which `{call.title}` takes, is nothing that this rule has",
                    call.span,
                    did_you_mean(name, [*own, *self.rule_names]) or "give the parameter a default",
                )
        return [*call.required, *(name for name in call.optional if name in own)]

    def _params(self, settings: Settings) -> dict[str, Any]:
        """The values of `@params`, texts with placeholders as templates."""
        found: dict[str, Any] = {}
        for name, value in settings.params.items():
            place = settings.param_places[name]
            with UserCode(place, "PB207", f"`{name}` can't be looked at: "):
                found[name] = compile_value(value, place)
        return found

    def _check_params(self, params: Mapping[str, Any]) -> None:
        """What only the values of `@params` can't hold."""
        for hole in (hole for value in params.values() for hole in holes_in(value)):
            reference = hole.reference
            if "changed" in names_in(reference):
                self.complain("PB215", "`<changed>` is not known yet in `@params`", hole.span)
            if not reference.trailers and callable(self.namespace.get(reference.name)):
                self.complain(
                    "PB215",
                    f"`{reference.name}` is a function",
                    hole.span,
                    f"call it: `<{reference.name}()>`",
                )

    def _check_rules_near(self, rule: Rule, recipe: RecipeTemplate) -> None:
        """A rule that a recipe names has to be a prerequisite."""
        holes = [
            *recipe.holes,
            *(hole for value in rule.params.values() for hole in holes_in(value)),
        ]
        if not holes:
            return
        drivers = () if rule.for_each else rule.drivers
        near = {
            each.rule for each in (*drivers, *rule.prerequisites, *rule.order_only) if each.rule
        }
        for hole in holes:
            for name in names_in(hole.reference):
                is_rule = name in self.rule_names and name not in self.value_names
                if is_rule and name not in self.namespace and name not in near:
                    self.complain(
                        "PB215",
                        f"the rule `{name}` is no prerequisite of this rule",
                        hole.span,
                        f"add `<{name}>` to the prerequisites, or behind `|`",
                        fixes=_addition(rule, name),
                    )

    def _finish_recipe(self, rule: Rule, recipe: RecipeTemplate) -> None:
        settings = rule.settings
        if settings.shell:
            recipe.shell = (*settings.shell.split(), "-c")
        elif not _has_bash():
            recipe.shell = PLAIN_SHELL
        recipe.environment = tuple(settings.environment.items())
        recipe.folders = tuple(settings.folders)
        recipe.touch = tuple(text for text in settings.touch if text_holes(text, rule.span))
        recipe.before = tuple([self._hook(hook, place) for hook, place in settings.before])
        recipe.places = settings.places
        recipe.silent = settings.silent
        filled = {name: value for name, value in rule.params.items() if holes_in(value)}
        shared = {name: value for name, value in rule.params.items() if name not in filled}
        values = self.out.variables
        if rule.params:
            values = {**values, **shared, **dict.fromkeys(filled)}
        counted = {f"@env {name}": text for name, text in settings.environment.items()}
        own = {*rule.captures}
        if rule.for_each:  # the list of inputs says nothing of the files that drive the rule
            own |= {*FILE_PARTS, *(each.alias for each in rule.drivers)}
        for each in settings.depends:
            try:
                name, state = f"@depends {each.text}", self._state_of(each)
            except NotRun:  # it counts for nothing but whether a job is up to date
                continue
            counted[name] = f"{counted[name]}, {state}" if name in counted else state
        if not self.judged:
            return
        with UserCode(rule.span, "PB207", "a value that the recipe uses can't be looked at: "):
            counted |= {f"@params {name}": repr(value) for name, value in shared.items()}
            recipe.finish(self.namespace, values, self.prints, counted, own, filled)

    def _hook(self, hook: Callable[..., object] | str, place: Span) -> Hook:
        """What `@before` names. A function is called by its number in a list of the namespace,
        which workers have too, in the line where the attribute stands."""
        if isinstance(hook, str):
            return Hook(hook, DEFAULT_SHELL if _has_bash() else PLAIN_SHELL)
        hooks = self.namespace.setdefault(_HOOKS, [])
        hooks.append(hook)
        takes = _taken_by(hook)
        arguments = ", ".join(f"{name}={name}" for name in takes)
        call = f"{_HOOKS}[{len(hooks) - 1}]({arguments})"
        text = "\n" * (place.place[0] - 1) + call
        return Hook(code=compile(text, place.source.name, "exec", dont_inherit=True), takes=takes)

    def _state_of(self, invariant: Invariant) -> str:
        """What counts of a thing that `@depends` names, as a text. Raises BuildError."""
        thing, place = invariant.thing, invariant.place

        def look() -> str:
            if isinstance(thing, str):
                printed = self._sh(thing)
                first = printed.partition("\n")[0][:_MOST_PRINTED]
                key = digest_of(printed.encode("utf-8", "surrogateescape")).hex()[:_KEY]
                return printed if printed == first else f"{first}... ({key})"
            if hasattr(thing, "__fspath__"):
                return self._bytes_of(os.fspath(thing), place)
            if isinstance(thing, bool | int | float | None):
                return repr(thing)
            return self.prints.of_value(thing).hex()[:_KEY]

        return self._run(look, place, "PB207")  # type: ignore[no-any-return]

    def _bytes_of(self, name: str, place: Span) -> str:
        try:
            with open(name, "rb") as handle:
                return digest_of(handle.read()).hex()[:_KEY]
        except OSError as error:
            message = f"`@depends`: cannot read `{name}`: {error.strerror}"
            raise BuildError(Diagnostic("PB404", message, place, help=_AMONG_THE_OTHERS)) from None

    def _check_follows(self) -> None:
        known = [*self.rule_names, *self.out.phony]
        for rule in self.out.rules:
            known += [text for each in rule.targets if (text := each.literal)]
        for rule in self.out.rules:
            for name in rule.settings.follows:
                if name not in known:
                    self.complain(
                        "PB201",
                        f"`@follows`: there is no rule `{name}`",
                        rule.settings.places[name],
                        did_you_mean(name, known),
                        fixes=nearest_fixes(name, known, rule.settings.places[name]),
                    )

    # -- attributes ------------------------------------------------------------------------

    def _settings(self, node: syntax.Rule) -> Settings:
        if not node.decorations:
            return self._no_settings
        settings = Settings(node.span)
        for each in node.decorations:
            try:
                settings.at = each.span
                arguments = each.arguments
                settings.arguments = (
                    arguments.text if isinstance(arguments, syntax.PythonText) else ""
                )
                self._apply(each, settings)
            except NotRun as unknown:
                self._lose(unknown)
                self.out.unclear.append(node.span)
                if each.name == "for_each":
                    raise  # nothing is known of what drives the rule
            except BuildError as error:
                self.out.diagnostics.extend(error.diagnostics)
        for condition, place in settings.conditions:
            try:
                settings.active = self._holds(condition, place) and settings.active
            except BuildError as error:
                self.out.diagnostics.extend(error.diagnostics)
        return settings

    def _holds(self, condition: Any, place: Span) -> bool:
        """The truth of what `@active_if` is given: a value or a function."""
        return self._run(  # type: ignore[no-any-return]
            lambda: bool(condition() if callable(condition) else condition), place, "PB207"
        )

    def _apply(self, node: syntax.Decoration, settings: Settings) -> None:
        """Sets what an attribute says. Raises BuildError."""
        spec = ATTRIBUTES.get(node.name)
        if spec is None:
            near = did_you_mean(node.name, list(ATTRIBUTES))
            fixes = nearest_fixes(node.name, list(ATTRIBUTES), node.span)
            message = f"there is no attribute `@{node.name}`"
            raise BuildError(Diagnostic("PB220", message, node.span, help=near, fixes=fixes))
        positional, named = self._arguments(node)
        with UserCode(node.span, "PB207"):
            try:
                spec.apply(settings, *positional, **named)
            except (TypeError, ValueError) as error:
                # A call that does not fit is a TypeError; what it refuses is a ValueError.
                reason = (
                    f": {error}" if isinstance(error, ValueError) else " is not given what it takes"
                )
                raise BuildError(
                    Diagnostic(
                        "PB221",
                        f"`@{node.name}`{reason}",
                        node.span,
                        help=f"it is written `{spec.usage}`",
                    )
                ) from None

    def _arguments(self, node: syntax.Decoration) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if node.arguments is None:
            return (), {}
        if isinstance(node.arguments, syntax.Given):
            return node.arguments.positional, dict(node.arguments.named)
        code = self.evaluator.expression(node.arguments, "__take__(", "\n)")
        names: dict[str, Any] = {"__take__": lambda *a, **k: (a, k)}
        if node.name == "follows":
            names |= {name: name for name in (*self.rule_names, *self.out.phony)}
        return self._run(  # type: ignore[no-any-return]
            lambda: code({**self.namespace, **names}), node.arguments.span, "PB207"
        )

    def _traits(
        self, node: syntax.Rule, label: str, targets: list[Template], settings: Settings
    ) -> Traits:
        pool = settings.pool or (f"jobs_limit of {label}" if settings.limit else "")
        if pool:
            known = self.out.pools.setdefault(pool, settings.limit)
            if known != settings.limit:
                self.complain(
                    "PB222",
                    f"the pool `{pool}` has {known} places elsewhere and {settings.limit} here",
                    settings.places.get(pool, node.span),
                    "give it the same size everywhere",
                )
        if settings.service and node.block is None:
            self.complain(
                "PB205",
                "this service does nothing",
                node.span,
                "write below the header what it runs",
            )
        literals = [each.literal for each in targets]
        phony = (
            settings.phony
            or settings.service
            or (bool(literals) and all(each in self.out.phony for each in literals))
        )
        return Traits(
            label,
            description=settings.description,
            phony=phony,
            temporary=settings.temporary,
            protected=settings.protected,
            precious=settings.precious,
            atomic=settings.atomic,
            always="@always" if settings.always else "",
            silent=settings.silent,
            ignore_errors=settings.ignore_errors,
            depfile=settings.depfile,
            pool=pool,
            resources=settings.resources,
            retries=settings.retries,
            retry_delay=settings.retry_delay,
            timeout=settings.timeout,
            touch_last=tuple(t for t in settings.touch if not text_holes(t, node.span)),
            hooks=tuple(settings.hooks),
            check=settings.check,
            service=settings.service,
        )


_MAKE_SPECIAL = {
    ".SUFFIXES": "there are no suffix rules here: delete the line",
    ".DEFAULT": "write a rule with `%`",
    ".PRECIOUS": "put `@precious` above the rule",
    ".INTERMEDIATE": "put `@temp` above the rule",
    ".SECONDARY": "files are kept unless their rule is `@temp`: delete the line",
    ".SECONDEXPANSION": "placeholders are filled in for each job: delete the line",
    ".DELETE_ON_ERROR": "a job that failed runs again whatever it left: delete the line",
    ".IGNORE": "put `@ignore_errors` above the rule",
    ".SILENT": "put `@silent` above the rule",
    ".ONESHELL": "a recipe is one script always: delete the line",
    ".POSIX": "delete the line; `@shell` changes the shell",
    ".NOTPARALLEL": "put `@jobs_limit(1)` above the rule",
    ".EXPORT_ALL_VARIABLES": "put `@env(...)` above the rule",
    ".DEFAULT_GOAL": "the first rule is the default: move it up",
}


def _addition(rule: Rule, name: str) -> tuple[Fix, ...]:
    """To put a rule behind the last prerequisite of another; none where there is no other one."""
    words = [*rule.drivers, *rule.prerequisites]
    ends = [each.span for each in words if rule.span.start <= each.span.start < rule.span.end]
    if not ends:
        return ()
    last = max(ends, key=lambda each: each.end)
    place = last.but(start=last.end)
    return (Fix(f"add `<{name}>` to the prerequisites", (Edit(place, f" <{name}>"),)),)


def _taken_by(hook: Callable[..., object]) -> tuple[str, ...]:
    """The names of a job that a function takes as keyword arguments."""
    from inspect import Parameter, signature

    try:
        parameters = signature(hook).parameters
    except (TypeError, ValueError):
        return ()
    if any(each.kind == Parameter.VAR_KEYWORD for each in parameters.values()):
        return _OF_HOOKS
    return tuple([name for name in _OF_HOOKS if name in parameters])


@cache
def _has_bash() -> bool:
    with noted():
        return any(
            os.access(os.path.join(folder, "bash"), os.X_OK)
            for folder in os.environ.get("PATH", os.defpath).split(os.pathsep)
        )
