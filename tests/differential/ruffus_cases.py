"""The table of cases: the same pipeline as a Ruffus script and as a Pipefile.

In both, `job(inputs, outputs)` writes the outputs and a line of the log. Where the two differ on
purpose, the case says so in a comment, and compares what is common.
"""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """A pipeline in both languages.

    `files` are the sources, `changed` those that are written anew before the second run (none: the
    second run has to do nothing). `order` are pairs of outputs of which the first is made before
    the second. `in_order` says whether the order of a job's inputs is compared. `targets` is what
    `pipeline_run` gets, `goals` what pybuild gets.
    """

    id: str
    files: str
    ruffus: str
    pipefile: str
    changed: str = ""
    order: tuple[tuple[str, str], ...] = ()
    in_order: bool = True
    targets: str = ""
    goals: str = ""


_CHAIN = 25  # tasks: Ruffus sleeps a tenth of a second in each

CASES = [
    # -- from nothing ---------------------------------------------------------------------------
    Case(
        "originate",
        "",
        """
@originate(["seed/one.txt", "seed/two.txt"])
def seed(output):
    job([], output)
""",
        """
seed: seed/one.txt seed/two.txt:
    ./jobs.py <outputs>
""",
    ),
    Case(
        "originate-bundles",
        "",
        """
@originate([["a.head", "a.body"], ["b.head", "b.body"]])
def seed(outputs):
    job([], outputs)

@transform(seed, suffix(".head"), ".text")
def text(inputs, output):
    job(inputs, output)
""",
        """
all: <text>
a.head a.body &:
    ./jobs.py <outputs>
b.head b.body &:
    ./jobs.py <outputs>
text: <n>.text: <n>.head <n>.body
    ./jobs.py <output> -- <inputs>
""",
    ),
    # -- one to one -----------------------------------------------------------------------------
    Case(
        "transform-suffix",
        "src/list.c src/main.c src/notes.md",
        """
@transform(["src/*.c", "src/*.md"], suffix(".c"), ".o")
def compile(input, output):
    job(input, output)
""",
        """
compile: <path>/<basename>.o: src/*.c
    ./jobs.py <output> -- <input>
""",
        changed="src/main.c",
    ),
    Case(
        "transform-suffix-output-dir",
        "src/main.c src/net/socket.c",
        """
@transform(["src/*.c", "src/*/*.c"], suffix(".c"), ".o", output_dir="build")
def compile(input, output):
    job(input, output)
""",
        """
compile: build/<basename>.o: src/**/*.c
    ./jobs.py <output> -- <input>
""",
        changed="src/net/socket.c",
    ),
    Case(
        "transform-suffix-keeps-a-prefix-of-the-name",
        "in/x.fastq.gz in/y.fastq.gz in/y.fastq",
        r"""
@transform("in/*", suffix(".fastq.gz"), r"\1.bam")
def align(input, output):
    job(input, output)
""",
        """
align: in/<sample>.bam: in/<sample>.fastq.gz
    ./jobs.py <output> -- <input>
""",
    ),
    Case(
        "transform-regex",
        "raw/oslo_2023.csv raw/oslo_2024.csv raw/rome_2024.csv raw/rome_old.csv",
        r"""
@transform("raw/*.csv", regex(r"raw/(\w+)_(\d+)\.csv$"), r"years/\2/\1.txt")
def clean(input, output):
    job(input, output)
""",
        """
clean: years/<year>/<site>.txt: raw/<site>_<year:[0-9]+>.csv
    ./jobs.py <output> -- <input>
""",
        changed="raw/rome_2024.csv",
    ),
    Case(
        "transform-regex-named-groups",
        "lanes/L1.s1.fq lanes/L2.s1.fq lanes/L2.s2.fq",
        r"""
@transform("lanes/*.fq", regex(r"lanes/(?P<lane>L\d)\.(?P<sample>s\d)\.fq"), r"\g<sample>-\g<lane>.bam")
def align(input, output):
    job(input, output)
""",
        """
align: <sample>-<lane>.bam: lanes/<lane:L[0-9]>.<sample:s[0-9]>.fq
    ./jobs.py <output> -- <input>
""",
    ),
    Case(
        "transform-formatter",
        "data/a.csv data/b.csv",
        """
@transform("data/*.csv", formatter(), "{path[0]}/{basename[0]}{ext[0]}.sum")
def total(input, output):
    job(input, output)
""",
        """
total: <path>/<basename><ext>.sum: data/*.csv
    ./jobs.py <output> -- <input>
""",
        changed="data/a.csv",
    ),
    Case(
        "transform-formatter-regex-and-folders",
        "zoo/north/owl.bird.wild zoo/south/pike.fish.wild zoo/south/oak.tree.tame",
        r"""
@transform(
    "zoo/*/*",
    formatter(r".+/(?P<name>\w+)\.(?P<group>\w+)\.wild$"),
    "{subpath[0][1]}/{group[0]}/{name[0]}.{subdir[0][0]}.food",
)
def feed(input, output):
    job(input, output)
""",
        """
feed: <subpath[1]>/<group>/<name>.<subdir[0]>.food: zoo/*/<name>.<group>.wild
    ./jobs.py <output> -- <input>
""",
    ),
    Case(
        "nested-folders",
        "in/p/q/one.raw in/p/two.raw in/r/s/three.raw",
        """
@transform(
    ["in/*/*.raw", "in/*/*/*.raw"],
    formatter(r".*/in/(?P<rest>.+)\\.raw$"),
    "out/{rest[0]}.cooked",
)
def cook(input, output):
    job(input, output)

@transform(cook, formatter(), "{path[0]}/sub/{subdir[0][0]}-{basename[0]}.served")
def serve(input, output):
    job(input, output)
""",
        """
all: <serve>
cook: out/<rest>.cooked: in/<rest:**>.raw
    ./jobs.py <output> -- <input>
serve: <path>/sub/<subdir[0]>-<basename>.served: <cook>
    ./jobs.py <output> -- <input>
""",
        changed="in/p/q/one.raw",
    ),
    Case(
        "names-with-blanks",
        "'in dir/first file.txt' 'in dir/second file.txt'",
        """
@transform("in dir/*.txt", suffix(".txt"), " copy.txt", output_dir="out dir")
def copy(input, output):
    job(input, output)
""",
        """
copy: "out dir/<basename> copy.txt": "in dir/*.txt"
    ./jobs.py <output> -- <input>
""",
    ),
    Case(
        "several-outputs",
        "a.in b.in",
        """
@transform("*.in", suffix(".in"), [".left", ".right"])
def cut(input, outputs):
    job(input, outputs)

@transform(cut, suffix(".left"), ".whole")
def join(inputs, output):
    job(inputs, output)
""",
        # In Ruffus the two outputs are one item of what follows. Here each is a file of its own,
        # and the rule that takes both says so.
        """
all: <join>
cut: <basename>.left <basename>.right: *.in
    ./jobs.py <outputs> -- <input>
join: <n>.whole: <n>.left <n>.right
    ./jobs.py <output> -- <inputs>
""",
        changed="b.in",
    ),
    Case(
        "extras",
        "a.in b.in",
        """
@transform("*.in", formatter(), "{basename[0]}.out", "fixed", "for {basename[0]}")
def label(input, output, word, name):
    job([input, word, name], output)
""",
        # The values are handed to `job` as if they were inputs: so they are compared too.
        """
@params(word="fixed")
label: <basename>.out: *.in
    ./jobs.py <output> -- <input> "<word>" "for <basename>"
""",
    ),
    # -- added inputs ---------------------------------------------------------------------------
    Case(
        "add-inputs-fixed-file",
        "a.c b.c common.h",
        """
@transform("*.c", suffix(".c"), add_inputs("common.h"), ".o")
def compile(inputs, output):
    job(inputs, output)
""",
        """
compile: <basename>.o: *.c common.h
    ./jobs.py <output> -- <inputs>
""",
        changed="common.h",
    ),
    Case(
        "add-inputs-substituted-file",
        "src/a.c src/b.c include/a.h include/b.h include/all.h",
        r"""
@transform("src/*.c", regex(r"src/(.+)\.c"), add_inputs(r"include/\1.h", "include/all.h"), r"\1.o")
def compile(inputs, output):
    job(inputs, output)
""",
        """
compile: <n>.o: src/<n>.c include/<n>.h include/all.h
    ./jobs.py <output> -- <inputs>
""",
        changed="include/b.h",
    ),
    Case(
        "add-inputs-formatter",
        "a/x.vcf b/x.vcf a/x.bed b/x.bed",
        """
@transform("*/x.vcf", formatter(), add_inputs("{path[0]}/{basename[0]}.bed"), "{path[0]}/hits.txt")
def hits(inputs, output):
    job(inputs, output)
""",
        """
hits: <path>/hits.txt: */x.vcf <path>/<basename>.bed
    ./jobs.py <output> -- <inputs>
""",
        changed="a/x.bed",
    ),
    Case(
        "add-inputs-glob",
        "run1/x.log run1/1.part run1/2.part run2/x.log run2/9.part",
        """
@transform("*/x.log", formatter(), add_inputs("{path[0]}/*.part"), "{subdir[0][0]}.sum")
def total(inputs, output):
    job(inputs, output)
""",
        """
total: <subdir[0]>.sum: */x.log <path>/*.part
    ./jobs.py <output> -- <inputs>
""",
        changed="run1/2.part",
    ),
    Case(
        "add-inputs-task",
        "reads/a.fq reads/b.fq genome.fa",
        """
@originate(["adapters/1.fa", "adapters/2.fa"])
def adapters(output):
    job([], output)

@transform("genome.fa", suffix(".fa"), ".index")
def index(input, output):
    job(input, output)

@transform("reads/*.fq", suffix(".fq"), add_inputs(index, adapters), ".bam")
def align(inputs, output):
    job(inputs, output)
""",
        """
all: <align>
adapters: adapters/1.fa adapters/2.fa:
    ./jobs.py <output>
index: <basename>.index: genome.fa
    ./jobs.py <output> -- <input>
align: reads/<basename>.bam: reads/*.fq <index> <adapters>
    ./jobs.py <output> -- <inputs>
""",
        changed="genome.fa",
    ),
    # -- one to many ----------------------------------------------------------------------------
    Case(
        "split-transform-merge",
        "big.txt",
        """
@split("big.txt", "parts/*.chunk")
def cut(input, outputs):
    job(input, ["parts/%s.chunk" % each for each in "abc"])

@transform(cut, suffix(".chunk"), ".count")
def count(input, output):
    job(input, output)

@merge(count, "total.txt")
def total(inputs, output):
    job(inputs, output)
""",
        """
total.txt: <count>
    ./jobs.py <output> -- <inputs>
split cut: parts/*.chunk: big.txt
    ./jobs.py parts/{a,b,c}.chunk -- <input>
count: parts/<basename>.count: <cut>
    ./jobs.py <output> -- <input>
""",
        changed="big.txt",
    ),
    Case(
        "split-several-inputs-and-globs",
        "in/1.txt in/2.txt",
        """
@split("in/*.txt", ["odd/*.x", "even/*.x"])
def sort(inputs, outputs):
    job(inputs, ["odd/1.x", "odd/3.x", "even/2.x"])

@transform(sort, formatter(), "{subdir[0][0]}-{basename[0]}.y")
def name(input, output):
    job(input, output)
""",
        """
all: <name>
split sort: odd/*.x even/*.x: in/*.txt
    ./jobs.py odd/1.x odd/3.x even/2.x -- <inputs>
name: <subdir[0]>-<basename>.y: <sort>
    ./jobs.py <output> -- <input>
""",
    ),
    Case(
        "subdivide",
        "books/x.txt books/y.txt",
        r"""
@subdivide("books/*.txt", regex(r"books/(.+)\.txt"), r"pages/\1-*.page")
def cut(input, outputs):
    name = input[6]
    job(input, ["pages/%s-%d.page" % (name, each) for each in range(1, 4 if name == "x" else 3)])

@transform(cut, suffix(".page"), ".pdf")
def draw(input, output):
    job(input, output)
""",
        """
all: <draw>
split cut: pages/<book>-*.page: books/<book>.txt
    python:
        job([input], [f"pages/{book}-{each}.page" for each in range(1, 4 if book == "x" else 3)])
draw: pages/<basename>.pdf: <cut>
    ./jobs.py <output> -- <input>
""",
        changed="books/y.txt",
    ),
    Case(
        "subdivide-formatter-two-steps",
        "lib/u.arc",
        """
@subdivide("lib/*.arc", formatter(), "{path[0]}/{basename[0]}/*.obj")
def unpack(input, outputs):
    job(input, ["lib/u/1.obj", "lib/u/2.obj"])

@subdivide(unpack, formatter(), "{path[0]}/{basename[0]}.*.sym")
def symbols(input, outputs):
    job(input, [input[:-4] + end for end in (".p.sym", ".q.sym")])

@merge(symbols, "all.syms")
def collect(inputs, output):
    job(inputs, output)
""",
        """
all.syms: <symbols>
    ./jobs.py <output> -- <inputs>
split unpack: lib/<basename>/*.obj: lib/*.arc
    ./jobs.py lib/u/1.obj lib/u/2.obj -- <input>
split symbols: <path>/<basename>.*.sym: <unpack>
    ./jobs.py <path>/<basename>.p.sym <path>/<basename>.q.sym -- <input>
""",
    ),
    # -- many to one ----------------------------------------------------------------------------
    Case(
        "merge",
        "days/b.txt days/a.txt days/c.txt head.txt",
        """
@merge(["head.txt", "days/*.txt"], "week.txt")
def week(inputs, output):
    job(inputs, output)
""",
        """
week.txt: head.txt days/*.txt
    ./jobs.py <output> -- <inputs>
""",
        changed="days/c.txt",
    ),
    Case(
        "merge-of-tasks",
        "a.in b.in",
        """
@transform("*.in", suffix(".in"), ".one")
def one(input, output):
    job(input, output)

@transform("*.in", suffix(".in"), ".two")
def two(input, output):
    job(input, output)

@merge([one, two, "a.in"], ["all.txt", "all.idx"])
def both(inputs, outputs):
    job(inputs, outputs)
""",
        """
all.txt all.idx &: <one> <two> a.in
    ./jobs.py <outputs> -- <inputs>
one: <basename>.one: *.in
    ./jobs.py <output> -- <input>
two: <basename>.two: *.in
    ./jobs.py <output> -- <input>
""",
        changed="b.in",
    ),
    Case(
        "collate-regex",
        "reads/x.R1.fq reads/x.R2.fq reads/y.R1.fq reads/z.txt",
        r"""
@collate("reads/*", regex(r"reads/(\w+)\.R\d\.fq"), r"bam/\1.bam")
def align(inputs, output):
    job(inputs, output)
""",
        """
collate align: bam/<sample>.bam: reads/<sample>.R<mate:[0-9]>.fq
    ./jobs.py <output> -- <inputs>
""",
        changed="reads/x.R2.fq",
    ),
    Case(
        "collate-formatter",
        "sea/cod.fish sea/eel.fish sea/seal.mammal land/elk.mammal",
        r"""
@collate("*/*", formatter(r".+\.(?P<group>fish|mammal)$"), "groups/{group[0]}.txt")
def group(inputs, output):
    job(inputs, output)
""",
        """
collate table: groups/<group>.txt: */*.<group:fish|mammal>
    ./jobs.py <output> -- <inputs>
""",
        changed="land/elk.mammal",
    ),
    Case(
        "collate-by-folder",
        "run1/a.csv run1/b.csv run2/a.csv",
        """
@collate("run*/*.csv", formatter(), "{path[0]}/all.sum")
def total(inputs, output):
    job(inputs, output)
""",
        """
collate total: <path>/all.sum: run*/*.csv
    ./jobs.py <output> -- <inputs>
""",
    ),
    # Ruffus pairs each member with the added file, so that it comes up again and again; here it
    # is an input once, behind the members.
    Case(
        "collate-with-added-inputs",
        "cod.fish eel.fish seal.mammal born/fish.txt born/mammal.txt",
        r"""
@collate(["*.fish", "*.mammal"], regex(r".+\.(.+)$"), add_inputs(r"born/\1.txt"), r"\1.all")
def group(inputs, output):
    job(inputs, output)
""",
        """
collate table: <group>.all: *.<group:fish|mammal> born/<group>.txt
    ./jobs.py <output> -- <inputs>
""",
        changed="born/fish.txt",
        in_order=False,
    ),
    Case(
        "collate-of-a-split",
        "big.txt",
        r"""
@split("big.txt", "parts/*.x")
def cut(input, outputs):
    job(input, ["parts/a1.x", "parts/a2.x", "parts/b1.x"])

@collate(cut, regex(r"parts/([a-z])\d\.x"), r"\1.y")
def join(inputs, output):
    job(inputs, output)
""",
        """
all: <join>
split cut: parts/*.x: big.txt
    ./jobs.py parts/a1.x parts/a2.x parts/b1.x -- <input>
collate join: <letter>.y: parts/<letter:[a-z]><n:[0-9]>.x
    ./jobs.py <output> -- <inputs>
""",
        changed="big.txt",
    ),
    # -- files taken together -------------------------------------------------------------------
    Case(
        "product-of-two",
        "left/a.t left/b.t right/p.t right/q.t",
        """
@product("left/*.t", formatter(), "right/*.t", formatter(), "{basename[0][0]}_{basename[1][0]}.cmp")
def compare(inputs, output):
    job(inputs, output)
""",
        """
product compare: <a.basename>_<b.basename>.cmp: a=left/*.t b=right/*.t
    ./jobs.py <output> -- <inputs>
""",
        changed="right/q.t",
    ),
    Case(
        "product-of-three",
        "one/a.t one/b.t two/p.u two/q.u three/x.v three/y.v",
        """
@product(
    "one/*.t", formatter(), "two/*", formatter(), "three/*", formatter(),
    "{path[0][0]}/{basename[0][0]}{basename[1][0]}{basename[2][0]}{ext[2][0]}",
)
def cross(inputs, output):
    job(inputs, output)
""",
        """
product cross: <a.path>/<a.basename><b.basename><c.basename><c.ext>: a=one/*.t b=two/* c=three/*
    ./jobs.py <output> -- <inputs>
""",
        changed="one/b.t",
    ),
    # Here `notes/<a>.n` is a third set, that goes together with the first by the capture `<a>`.
    Case(
        "product-with-added-inputs",
        "left/a.t left/b.t right/p.t ref.txt notes/a.n notes/b.n",
        """
@product(
    "left/*.t", formatter(), "right/*.t", formatter(),
    add_inputs("notes/{basename[0][0]}.n", "ref.txt"),
    "{basename[0][0]}_{basename[1][0]}.cmp",
)
def compare(inputs, output):
    job(inputs, output)
""",
        """
product compare: <a>_<b>.cmp: left/<a>.t right/<b>.t notes/<a>.n ref.txt
    ./jobs.py <output> -- <inputs>
""",
        changed="notes/a.n",
    ),
    Case(
        "product-of-tasks",
        "a.in b.in big.txt",
        """
@transform("*.in", suffix(".in"), ".mid")
def prepare(input, output):
    job(input, output)

@split("big.txt", "parts/*.x")
def cut(input, outputs):
    job(input, ["parts/1.x", "parts/2.x"])

@product(prepare, formatter(), cut, formatter(), "{basename[0][0]}{basename[1][0]}.out")
def cross(inputs, output):
    job(inputs, output)
""",
        """
all: <cross>
prepare: <basename>.mid: *.in
    ./jobs.py <output> -- <input>
split cut: parts/*.x: big.txt
    ./jobs.py parts/1.x parts/2.x -- <input>
product cross: <inputs[0].basename><inputs[1].basename>.out: <prepare> <cut>
    ./jobs.py <output> -- <inputs>
""",
        changed="a.in",
    ),
    Case(
        "permutations-of-two",
        "in/a.t in/b.t in/c.t",
        """
@permutations("in/*.t", formatter(), 2, "{basename[0][0]}-{basename[1][0]}.out")
def order(inputs, output):
    job(inputs, output)
""",
        """
permutations(2) order: <n[0]>-<n[1]>.out: in/<n>.t
    ./jobs.py <output> -- <inputs>
""",
        changed="in/c.t",
    ),
    Case(
        "combinations-of-two",
        "in/a.t in/b.t in/c.t in/d.t",
        """
@combinations("in/*.t", formatter(), 2, "{path[0][0]}/{basename[0][0]}-{basename[1][0]}.out")
def pair(inputs, output):
    job(inputs, output)
""",
        """
combinations(2) pair: <path>/<inputs[0].basename>-<inputs[1].basename>.out: in/*.t
    ./jobs.py <output> -- <inputs>
""",
        changed="in/a.t",
    ),
    Case(
        "combinations-of-three",
        "in/a.t in/b.t in/c.t in/d.t",
        """
@combinations("in/*.t", formatter(), 3, "{basename[0][0]}{basename[1][0]}{basename[2][0]}.out")
def triple(inputs, output):
    job(inputs, output)
""",
        """
combinations(3) triple: <n[0]><n[1]><n[2]>.out: in/<n>.t
    ./jobs.py <output> -- <inputs>
""",
        changed="in/d.t",
    ),
    Case(
        "combinations-with-replacement",
        "in/a.t in/b.t in/c.t",
        """
@combinations_with_replacement("in/*.t", formatter(), 2, "{basename[0][0]}{basename[1][0]}.out")
def pair(inputs, output):
    job(inputs, output)
""",
        """
combinations_with_replacement(2) pair: <n[0]><n[1]>.out: in/<n>.t
    ./jobs.py <output> -- <inputs>
""",
        changed="in/b.t",
    ),
    Case(
        "simulations-by-genes-regrouped",
        "sim/1.par sim/2.par sim/3.par genes/x.gene genes/y.gene genes/x.gwas genes/y.gwas",
        r"""
@product(
    "sim/*.par", formatter(), "genes/*.gene", formatter(),
    add_inputs("{path[1][0]}/{basename[1][0]}.gwas"),
    "runs/{basename[1][0]}.{basename[0][0]}.res",
)
def simulate(inputs, output):
    job(inputs, output)

@collate(simulate, regex(r"(.*)runs/(\w)\.\d\.res"), r"\1means/\2.mean")
def mean(inputs, output):
    job(inputs, output)
""",
        """
all: <mean>
product simulate: runs/<gene>.<sim>.res: sim/<sim>.par genes/<gene>.gene genes/<gene>.gwas
    ./jobs.py <output> -- <inputs>
collate mean: means/<gene>.mean: runs/<gene>.<sim>.res
    ./jobs.py <output> -- <inputs>
""",
        changed="genes/y.gwas",
    ),
    # -- jobs written down one by one -------------------------------------------------------------
    Case(
        "files-list-of-jobs",
        "a.txt b.txt c.txt",
        """
@files([["a.txt", "a.out"], [["a.txt", "b.txt"], "ab.out"], ["c.txt", "x/y.out"]])
def each(inputs, output):
    job(inputs, output)
""",
        """
all: a.out ab.out x/y.out
a.out: a.txt
    ./jobs.py <output> -- <inputs>
ab.out: a.txt b.txt
    ./jobs.py <output> -- <inputs>
x/y.out: c.txt
    ./jobs.py <output> -- <inputs>
""",
        changed="b.txt",
    ),
    Case(
        "files-generator",
        "2023.log 2024.log old.log",
        """
def parameters():
    for year in (2023, 2024):
        yield "%d.log" % year, "sums/%d.txt" % year

@files(parameters)
def total(input, output):
    job(input, output)
""",
        """
total: sums/<basename>.txt: <logs(2023, 2024)>
    ./jobs.py <output> -- <input>
python:
    def logs(*years):
        return [f"{year}.log" for year in years]
""",
        changed="2023.log",
    ),
    # -- tasks one after another ------------------------------------------------------------------
    Case(
        "chained-tasks",
        "a.raw b.raw",
        """
@transform("*.raw", suffix(".raw"), ".clean")
def clean(input, output):
    job(input, output)

@transform(clean, suffix(".clean"), ".sorted")
def sort(input, output):
    job(input, output)

@transform(sort, suffix(".sorted"), ".counts")
def count(input, output):
    job(input, output)
""",
        """
all: <count>
clean: <basename>.clean: *.raw
    ./jobs.py <output> -- <input>
sort: <basename>.sorted: <clean>
    ./jobs.py <output> -- <input>
count: <basename>.counts: <sort>
    ./jobs.py <output> -- <input>
""",
        changed="a.raw",
    ),
    Case(
        "deep-chain",
        "s.0",
        "\n".join(
            f'@transform({f"step{n - 1}" if n > 1 else repr("s.0")}, suffix(".{n - 1}"), ".{n}")\n'
            f"def step{n}(input, output):\n    job(input, output)"
            for n in range(1, _CHAIN + 1)
        ),
        f"all: s.{_CHAIN}\n"
        + "\n".join(
            f"step{n}: <n>.{n}: <n>.{n - 1}\n    ./jobs.py <output> -- <input>"
            for n in range(1, _CHAIN + 1)
        ),
    ),
    Case(
        "diamond",
        "x.src",
        """
@transform("x.src", suffix(".src"), ".base")
def base(input, output):
    job(input, output)

@transform(base, suffix(".base"), ".left")
def left(input, output):
    job(input, output)

@transform(base, suffix(".base"), ".right")
def right(input, output):
    job(input, output)

@merge([left, right], "x.top")
def top(inputs, output):
    job(inputs, output)
""",
        """
top: x.top: <left> <right>
    ./jobs.py <output> -- <inputs>
base: <n>.base: <n>.src
    ./jobs.py <output> -- <input>
left: <n>.left: <n>.base
    ./jobs.py <output> -- <input>
right: <n>.right: <n>.base
    ./jobs.py <output> -- <input>
""",
        changed="x.src",
    ),
    Case(
        "one-rule-after-two-tasks",
        "a.csv b.tsv",
        """
@transform("*.csv", suffix(".csv"), ".txt", output_dir="mid")
def from_csv(input, output):
    job(input, output)

@transform("*.tsv", suffix(".tsv"), ".txt", output_dir="mid")
def from_tsv(input, output):
    job(input, output)

@transform([from_csv, from_tsv], suffix(".txt"), ".sum")
def total(input, output):
    job(input, output)
""",
        """
all: <total>
from_csv: mid/<basename>.txt: *.csv
    ./jobs.py <output> -- <input>
from_tsv: mid/<basename>.txt: *.tsv
    ./jobs.py <output> -- <input>
total: mid/<basename>.sum: mid/*.txt
    ./jobs.py <output> -- <input>
""",
        changed="b.tsv",
    ),
    Case(
        "a-task-named-before-it-is-defined",
        "a.in",
        """
@transform(output_from("early"), suffix(".mid"), ".out")
def late(input, output):
    job(input, output)

@transform("a.in", suffix(".in"), ".mid")
def early(input, output):
    job(input, output)
""",
        """
late: <basename>.out: <early>
    ./jobs.py <output> -- <input>
early: <basename>.mid: a.in
    ./jobs.py <output> -- <input>
""",
        changed="a.in",
    ),
    Case(
        "follows",
        "a.in b.in",
        """
@originate("licence.txt")
def licence(output):
    job([], output)

@follows(licence)
@transform("*.in", suffix(".in"), ".out")
def work(input, output):
    job(input, output)
""",
        """
@follows(licence)
work: <basename>.out: *.in
    ./jobs.py <output> -- <input>
licence: licence.txt:
    ./jobs.py <output>
""",
        changed="a.in",
        order=(("licence.txt", "a.out"), ("licence.txt", "b.out")),
    ),
    Case(
        "mkdir",
        "a.in",
        """
@follows(mkdir("out/deep", "empty"))
@transform("*.in", suffix(".in"), ".out", output_dir="out/deep")
def work(input, output):
    job(input, output)
""",
        """
@mkdir("empty")
work: out/deep/<basename>.out: *.in
    ./jobs.py <output> -- <input>
""",
    ),
    Case(
        "mkdir-for-each-input",
        "a.in b.in",
        """
@mkdir("*.in", formatter(), "logs/{basename[0]}")
@transform("*.in", formatter(), "{basename[0]}.out")
def work(input, output):
    job(input, output)
""",
        """
@mkdir("logs/<basename>")
work: <basename>.out: *.in
    ./jobs.py <output> -- <input>
""",
    ),
    Case(
        "active-if",
        "a.in b.in",
        """
on, off = True, False

@active_if(on)
@transform("*.in", suffix(".in"), ".one")
def one(input, output):
    job(input, output)

@active_if(on, off)
@transform("*.in", suffix(".in"), ".two")
def two(input, output):
    job(input, output)

@transform(two, suffix(".two"), ".three")
def three(input, output):
    job(input, output)

@merge([one, two], "all.txt")
def both(inputs, output):
    job(inputs, output)
""",
        """
on = True
off = False
all: all.txt <three>
@active_if(on)
one: <basename>.one: *.in
    ./jobs.py <output> -- <input>
@active_if(on and off)
two: <basename>.two: *.in
    ./jobs.py <output> -- <input>
@optional
three: <basename>.three: <two>
    ./jobs.py <output> -- <input>
all.txt: <one> <two>
    ./jobs.py <output> -- <inputs>
""",
        changed="b.in",
    ),
    Case(
        "target-tasks",
        "a.in",
        """
@transform("a.in", suffix(".in"), ".mid")
def early(input, output):
    job(input, output)

@transform(early, suffix(".mid"), ".out")
def wanted(input, output):
    job(input, output)

@transform(early, suffix(".mid"), ".other")
def not_wanted(input, output):
    job(input, output)
""",
        """
early: <basename>.mid: a.in
    ./jobs.py <output> -- <input>
wanted: <basename>.out: <early>
    ./jobs.py <output> -- <input>
not_wanted: <basename>.other: <early>
    ./jobs.py <output> -- <input>
""",
        changed="a.in",
        targets="[wanted]",
        goals="wanted",
    ),
    Case(
        "posttask-and-touch-file",
        "a.in b.in",
        """
def finished():
    job([], "finished.txt")

@posttask(finished, touch_file("flag"))
@transform("*.in", suffix(".in"), ".out")
def work(input, output):
    job(input, output)
""",
        """
python:
    def finished():
        job([], ["finished.txt"])

@posttask(finished)
@touch("flag")
work: <basename>.out: *.in
    ./jobs.py <output> -- <input>
""",
        order=(("a.out", "finished.txt"), ("b.out", "finished.txt")),
    ),
    Case(
        "tasks-without-files",
        "",
        """
@parallel([["one.mark", 1], ["two.mark", 2]])
def mark(name, number):
    job([str(number)], name)
""",
        # Such jobs are no files: they run each time, in both.
        """
.PHONY: all mark1 mark2
all: mark1 mark2
mark1:
    ./jobs.py one.mark -- 1
mark2:
    ./jobs.py two.mark -- 2
""",
        changed="unrelated",
    ),
]
