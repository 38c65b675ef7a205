"""Rules and variables that are there before any makefile is read.

`install` comes before the makefiles, `complete` behind them: which of the built-in rules count
depends on what makefiles say of suffixes, and each of them gives way to one that is written.
"""

from __future__ import annotations

import os

from pybuild.makefile.rules import Database, PatternRule, Prerequisite, Recipe
from pybuild.makefile.search import pattern_prerequisites
from pybuild.makefile.variables import Origin, Scope
from pybuild.typed import Iterator

SUFFIXES = (
    ".out .a .ln .o .c .cc .C .cpp .p .f .F .m .r .y .l .ym .yl .s .S .mod .sym .def .h .info"
    " .dvi .tex .texinfo .texi .txinfo .w .ch .web .sh .elc .el"
)

# Names and values; all are recursive.
_VARIABLES = """\
AR=ar
ARFLAGS=-rv
AS=as
CC=cc
CO=co
COFLAGS=
CPP=$(CC) -E
CTANGLE=ctangle
CWEAVE=cweave
CXX=g++
F77=$(FC)
F77FLAGS=$(FFLAGS)
FC=f77
GET=get
LD=ld
LEX=lex
LINT=lint
M2C=m2c
MAKEINFO=makeinfo
OBJC=cc
PC=pc
RM=rm -f
TANGLE=tangle
TEX=tex
TEXI2DVI=texi2dvi
WEAVE=weave
YACC=yacc
OUTPUT_OPTION=-o $@
CHECKOUT,v=+$(if $(wildcard $@),,$(CO) $(COFLAGS) $< $@)
.LIBPATTERNS=lib%.so lib%.a
COMPILE.c=$(CC) $(CFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c
COMPILE.cc=$(CXX) $(CXXFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c
COMPILE.C=$(COMPILE.cc)
COMPILE.cpp=$(COMPILE.cc)
COMPILE.m=$(OBJC) $(OBJCFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c
COMPILE.p=$(PC) $(PFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c
COMPILE.f=$(FC) $(FFLAGS) $(TARGET_ARCH) -c
COMPILE.F=$(FC) $(FFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c
COMPILE.r=$(FC) $(FFLAGS) $(RFLAGS) $(TARGET_ARCH) -c
COMPILE.s=$(AS) $(ASFLAGS) $(TARGET_MACH)
COMPILE.S=$(CC) $(ASFLAGS) $(CPPFLAGS) $(TARGET_MACH) -c
COMPILE.mod=$(M2C) $(M2FLAGS) $(MODFLAGS) $(TARGET_ARCH)
COMPILE.def=$(M2C) $(M2FLAGS) $(DEFFLAGS) $(TARGET_ARCH)
LINK.o=$(CC) $(LDFLAGS) $(TARGET_ARCH)
LINK.c=$(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS) $(TARGET_ARCH)
LINK.cc=$(CXX) $(CXXFLAGS) $(CPPFLAGS) $(LDFLAGS) $(TARGET_ARCH)
LINK.C=$(LINK.cc)
LINK.cpp=$(LINK.cc)
LINK.m=$(OBJC) $(OBJCFLAGS) $(CPPFLAGS) $(LDFLAGS) $(TARGET_ARCH)
LINK.p=$(PC) $(PFLAGS) $(CPPFLAGS) $(LDFLAGS) $(TARGET_ARCH)
LINK.f=$(FC) $(FFLAGS) $(LDFLAGS) $(TARGET_ARCH)
LINK.F=$(FC) $(FFLAGS) $(CPPFLAGS) $(LDFLAGS) $(TARGET_ARCH)
LINK.r=$(FC) $(FFLAGS) $(RFLAGS) $(LDFLAGS) $(TARGET_ARCH)
LINK.s=$(CC) $(ASFLAGS) $(LDFLAGS) $(TARGET_MACH)
LINK.S=$(CC) $(ASFLAGS) $(CPPFLAGS) $(LDFLAGS) $(TARGET_MACH)
LEX.l=$(LEX) $(LFLAGS) -t
LEX.m=$(LEX) $(LFLAGS) -t
LINT.c=$(LINT) $(LINTFLAGS) $(CPPFLAGS) $(TARGET_ARCH)
PREPROCESS.F=$(FC) $(FFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -F
PREPROCESS.r=$(FC) $(FFLAGS) $(RFLAGS) $(TARGET_ARCH) -F
PREPROCESS.S=$(CPP) $(CPPFLAGS)
YACC.m=$(YACC) $(YFLAGS)
YACC.y=$(YACC) $(YFLAGS)"""

# Suffix rules with the same recipe: their names, then its lines after `|`; `*` is the first suffix.
# A blank at the end of a line is printed with it.
_SUFFIX_RULES = """\
.o .c .cc .C .cpp .p .f .F .m .r .s .S|$(LINK*) $^ $(LOADLIBES) $(LDLIBS) -o $@
.mod|$(COMPILE.mod) -o $@ -e $@ $^
.sh|cat $< >$@ | chmod a+x $@
.c.o .cc.o .C.o .cpp.o .p.o .f.o .F.o .m.o .r.o|$(COMPILE*) $(OUTPUT_OPTION) $<
.s.o .S.o .mod.o .def.sym|$(COMPILE*) -o $@ $<
.F.f .r.f|$(PREPROCESS*) $(OUTPUT_OPTION) $<
.S.s|$(PREPROCESS.S) $< > $@
.y.c|$(YACC.y) $< | mv -f y.tab.c $@
.ym.m|$(YACC.m) $< | mv -f y.tab.c $@
.l.c|@$(RM) $@ | $(LEX.l) $< > $@
.lm.m|@$(RM) $@ | $(LEX.m) $< > $@
.l.r|$(LEX.l) $< > $@ | mv -f lex.yy.r $@
.c.ln|$(LINT.c) -C$* $<
.y.ln|$(YACC.y) $< | $(LINT.c) -C$* y.tab.c | $(RM) y.tab.c
.l.ln|@$(RM) $*.c| $(LEX.l) $< > $*.c|$(LINT.c) -i $*.c -o $@| $(RM) $*.c
.tex.dvi|$(TEX) $<
.texinfo.info .texi.info .txinfo.info|$(MAKEINFO) $(MAKEINFO_FLAGS) $< -o $@
.texinfo.dvi .texi.dvi .txinfo.dvi|$(TEXI2DVI) $(TEXI2DVI_FLAGS) $<
.w.c|$(CTANGLE) $< - $@
.w.tex|$(CWEAVE) $< - $@
.web.p|$(TANGLE) $<
.web.tex|$(WEAVE) $<"""

# Target, prerequisites, recipe.
_PATTERN_RULES = """\
(%): %|$(AR) $(ARFLAGS) $@ $<
%.out: %|@rm -f $@ | cp $< $@
%.c: %.w %.ch|$(CTANGLE) $^ $@
%.tex: %.w %.ch|$(CWEAVE) $^ $@
%:: %,v|$(CHECKOUT,v)
%:: RCS/%,v|$(CHECKOUT,v)
%:: RCS/%|$(CHECKOUT,v)
%:: s.%|$(GET) $(GFLAGS) $(SCCS_OUTPUT_OPTION) $<
%:: SCCS/s.%|$(GET) $(GFLAGS) $(SCCS_OUTPUT_OPTION) $<"""

# What this make says it can do; plugins in C are not among it.
FEATURES = (
    "target-specific order-only second-expansion else-if shortest-stem undefine oneshell nocomment"
    " grouped-target extra-prereqs notintermediate shell-export archives jobserver jobserver-fifo"
    " output-sync check-symlink"
)
VERSION = "4.4.1"

# Of value that is expanded already; they are there even without built-in variables.
_FIXED = {
    ".FEATURES": FEATURES,
    ".INCLUDE_DIRS": "/usr/local/include /usr/include",
    ".LOADED": "",
    ".RECIPEPREFIX": "",
    ".SHELLFLAGS": "-c",
    "MAKEFILES": "",
    "MAKE_VERSION": VERSION,
    "SHELL": "/bin/sh",
}

_Key = tuple[str, tuple[str, ...]]


def install(
    database: Database, variables: Scope, rules: bool = True, variables_too: bool = True
) -> None:
    """Sets the default variables and the list of suffixes, before makefiles are read. `rules` is
    false with `-r`, `variables_too` with `-R`. Values that are there and count for more stay."""
    define = variables.define
    if variables_too:
        for line in _VARIABLES.split("\n"):
            name, _, value = line.partition("=")
            define(name, value, Origin.DEFAULT)
    for name, value in _FIXED.items():
        define(name, value, Origin.DEFAULT, recursive=False)
    define("MAKE", "$(MAKE_COMMAND)", Origin.DEFAULT)
    define("MAKE_HOST", f"{os.uname().machine}-pc-linux-gnu", Origin.DEFAULT, recursive=False)
    for letter in "@%*+<?^":
        define(f"{letter}D", f"$(patsubst %/,%,$(dir ${letter}))", Origin.AUTOMATIC)
        define(f"{letter}F", f"$(notdir ${letter})", Origin.AUTOMATIC)
    define("SUFFIXES", SUFFIXES if rules else "", Origin.DEFAULT, recursive=False)
    if rules:
        database.suffixes[:] = SUFFIXES.split()


def uninstall_variables(variables: Scope) -> None:
    """Takes away the default variables that `-R` leaves out, when a makefile asks for that: those
    whose value nobody has changed."""
    for line in _VARIABLES.split("\n"):
        name = line.partition("=")[0]
        found = variables.variables.get(name)
        if found is not None and found.origin == Origin.DEFAULT:
            del variables.variables[name]


def complete(database: Database, rules: bool = True) -> None:
    """Adds pattern rules after makefiles were read: those that suffix rules stand for, then the
    built-in ones unless `rules` is false (`-r`). None takes the place of one that is there."""
    if not rules and database.suffixes == SUFFIXES.split():
        database.suffixes.clear()
    known = {key for rule in database.patterns for key in _keys(rule)}
    for made in _all_rules(database, rules):
        key = (made.targets[0], tuple([each.name for each in made.prerequisites]))
        if key not in known:
            known.add(key)
            database.patterns.append(made)


def _keys(rule: PatternRule) -> Iterator[_Key]:
    if len(set(rule.targets)) == 1:
        yield rule.targets[0], pattern_prerequisites(rule)


def _all_rules(database: Database, rules: bool) -> Iterator[PatternRule]:
    recipes = builtin_suffix_recipes() if rules else {}
    recipes.update(_written_suffix_recipes(database))
    suffixes = database.suffixes
    for source in suffixes:
        source_pattern = f"%{source}"
        # It does nothing, but a file with this suffix is of a known kind: no rule for anything
        # makes it.
        yield PatternRule((source_pattern,), (), None)
        prerequisites = (Prerequisite(source_pattern, is_explicit=False),)
        recipe = recipes.get(source)
        if recipe is not None:
            yield PatternRule(("%",), prerequisites, recipe, place=recipe.place)
        for made in suffixes:
            recipe = recipes.get(source + made)
            if recipe is not None:
                if made == ".a":
                    yield PatternRule(("(%.o)",), prerequisites, recipe, place=recipe.place)
                yield PatternRule((f"%{made}",), prerequisites, recipe, place=recipe.place)
    if rules:
        for line in _PATTERN_RULES.split("\n"):
            head, *lines = line.split("|")
            target, words = head.split(":", 1)
            yield PatternRule(
                (target,),
                [Prerequisite(each, is_explicit=False) for each in words.lstrip(":").split()],
                Recipe(lines, None),
                is_terminal=words.startswith(":"),
            )


def builtin_suffix_recipes() -> dict[str, Recipe]:
    """The recipes of the built-in suffix rules, by the names of these."""
    made = {}
    for line in _SUFFIX_RULES.split("\n"):
        names, *lines = line.split("|")
        if "*)" not in line:
            recipe = Recipe(lines, None)
            for name in names.split():
                made[name] = recipe
        else:
            for name in names.split():
                suffix = name[: name.find(".", 1)] if name.count(".") > 1 else name
                made[name] = Recipe([each.replace("*)", f"{suffix})") for each in lines], None)
    return made


def _written_suffix_recipes(database: Database) -> Iterator[tuple[str, Recipe]]:
    for name, target in database.targets.items():
        if name[:1] == "." and target.is_target and "/" not in name:
            for entry in target.entries:
                if entry.recipe is not None:
                    if not (database.is_posix and entry.prerequisites):
                        yield name, entry.recipe
                    break
