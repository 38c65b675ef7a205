"""The shapes of projects: each function makes the graph of one shape with about `size` jobs."""

from __future__ import annotations

from collections.abc import Callable

from graph import VERSION, Graph

COMMANDS = {
    "cp": "cp {inputs} {output}",
    "head": "head -c 16 {inputs} > {output}",
    "cksum": "cksum {inputs} > {output}",
    "compile": "sh fakecc.sh {inputs} {output}",
    "link": "echo obj/*.o | xargs cat > {output}",
    "merge": "echo out/pair/*.txt | xargs cat > {output}",
    "create": ": > {output}",
    "block": "",  # inline Python: there is no command
}

COMPILER = """\
#!/bin/sh
# fakecc.sh SOURCE OBJECT: stands for a compiler and uses nothing but builtins of the shell. The
# object is the source with the first line of each header in place; OBJECT.d is as gcc writes it.
depends="$2: $1" object=
while IFS= read -r line; do
    case $line in
    '#include "'*)
        header=${line#*\\"} header=${header%\\"}
        depends="$depends $header"
        IFS= read -r line <"$header"
        ;;
    esac
    object="$object$line
"
done <"$1"
printf '%s\\n' "$depends" >"$2.d"
printf '%s' "$object" >"$2"
"""


def _graph(shape: str, size: int) -> Graph:
    return Graph(shape, size, commands=COMMANDS)


def _source(number: int) -> str:
    return f"{number:08d}{VERSION}\nsource number {number}\n"


def _pipefile(graph: Graph, text: str) -> None:
    """`[cp]` in the text stands for that command."""
    for kind in graph.commands:
        text = text.replace(f"[{kind}]", graph.command(kind, "<inputs>", "<output>"))
    graph.pipefile = text + ".PHONY: nothing\nnothing:\n"


def _makefile(graph: Graph, text: str) -> None:
    for kind in graph.commands:
        text = text.replace(f"[{kind}]", graph.command(kind, "$^", "$@"))
    graph.makefile = text.replace("\n    ", "\n\t") + ".PHONY: all nothing\nnothing:\n"


def _flat(shape: str, size: int, kind: str) -> Graph:
    """Independent jobs, one for each source."""
    graph = _graph(shape, size)
    for number in range(size):
        source = f"src/{number:07d}.in"
        graph.sources[source] = _source(number)
        graph.goals.append(graph.add(f"out/{number:07d}.out", source, kind=kind))
    graph.edited = graph.jobs[0].inputs[0]
    _pipefile(graph, f"all: <job>\njob: out/<n>.out: src/<n>.in\n    [{kind}]\n")
    _makefile(
        graph,
        "all: $(patsubst src/%.in,out/%.out,$(wildcard src/*.in))\n"
        f"out/%.out: src/%.in\n    [{kind}]\n",
    )
    return graph


def wide(size: int) -> Graph:
    """Independent jobs: `cp a b`."""
    return _flat("wide", size, "cp")


def shell(size: int) -> Graph:
    """Independent jobs whose recipe needs a shell: `: > b`."""
    return _flat("shell", size, "create")


def python(size: int) -> Graph:
    """Independent blocks of inline Python, each of which writes one small file."""
    graph = _flat("python", size, "block")
    block = "python:\n        output.write_text(n)"
    _pipefile(graph, f"all: <job>\njob: out/<n>.out: src/<n>.in\n    {block}\n")
    graph.makefile = ""
    return graph


def empty(size: int) -> Graph:
    """Independent blocks of inline Python that only create their output; sources are empty."""
    graph = _flat("empty", size, "block")
    graph.sources = dict.fromkeys(graph.sources, "")
    block = "python:\n        output.touch()"
    _pipefile(graph, f"all: <job>\njob: out/<n>.out: src/<n>.in\n    {block}\n")
    graph.makefile = ""
    return graph


def explicit(size: int) -> Graph:
    """Independent jobs, each with a rule of its own: two lines a job (for ninja one)."""
    graph = _flat("explicit", size, "cp")
    rules = "".join(
        f"{job.output}: {job.inputs[0]}\n    cp {job.inputs[0]} {job.output}\n"
        for job in graph.jobs
    )
    text = f"all: {' '.join(graph.goals)}\n{rules}"
    _pipefile(graph, text)
    _makefile(graph, text)
    return graph


def _stepwise(graph: Graph) -> Graph:
    """Build files where two patterns have the recipes and explicit lines the prerequisites."""
    graph.edited = graph.jobs[0].inputs[0]
    lines = "".join(f"{job.output}: {' '.join(job.inputs)}\n" for job in graph.jobs)
    text = f"all: {' '.join(graph.goals)}\nout/h/%:\n    [head]\nout/k/%:\n    [cksum]\n{lines}"
    _pipefile(graph, text)
    _makefile(graph, text)
    return graph


def chain(size: int) -> Graph:
    """Each job needs the one before it."""
    graph = _graph("chain", size)
    graph.sources["src/0.in"] = _source(0)
    last = graph.add("out/h/0000000", "src/0.in", kind="head")
    for number in range(1, size):
        last = graph.add(f"out/k/{number:07d}", last, kind="cksum")
    graph.goals = [last]
    return _stepwise(graph)


def layers(size: int) -> Graph:
    """About the cube root of N layers; each job reads three files of the layer before."""
    graph = _graph("layers", size)
    depth = max(3, round(size ** (1 / 3)))
    width = max(8, size // depth)
    before = []
    for number in range(width):
        source = f"src/{number:06d}.in"
        graph.sources[source] = _source(number)
        before.append(graph.add(f"out/h/{number:06d}", source, kind="head"))
    for layer in range(1, depth):
        before = [
            graph.add(
                f"out/k/{layer:03d}_{number:06d}",
                *(before[(number + step) % width] for step in (0, 1, 7)),
                kind="cksum",
            )
            for number in range(width)
        ]
    graph.goals = before
    return _stepwise(graph)


def c(size: int) -> Graph:
    """Small C sources, 50 headers of which each includes 10, depfiles, one link."""
    graph = _graph("c", size)
    graph.programs["fakecc.sh"] = COMPILER
    headers = [f"inc/h{number:02d}.h" for number in range(50)]
    for number, name in enumerate(headers):
        graph.sources[name] = f"#define H{number:02d} {VERSION}\n"
    for number in range(size):
        included = tuple(headers[(7 * number + 5 * step) % 50] for step in range(10))
        source = f"c/f{number:06d}.c"
        lines = "".join(f'#include "{name}"\n' for name in included)
        graph.sources[source] = f"{lines}int f{number}(int x) {{ return x + {VERSION}; }}\n"
        graph.add(f"obj/f{number:06d}.o", source, kind="compile", headers=included)
    graph.edited = graph.jobs[0].inputs[0]
    graph.header = headers[0]
    graph.goals = [graph.add("app", *(job.output for job in graph.jobs), kind="link")]
    _pipefile(
        graph,
        "app: <compile>\n    [link]\n"
        '@depfile("<output>.d")\n'
        "compile: obj/<basename>.o: c/*.c\n    [compile]\n",
    )
    compiling = graph.command("compile", "$<", "$@")  # a depfile adds headers to `$^`
    _makefile(
        graph,
        "objects := $(patsubst c/%.c,obj/%.o,$(wildcard c/*.c))\n"
        "all: app\napp: $(objects)\n    [link]\n"
        f"obj/%.o: c/%.c\n    {compiling}\n"
        "-include $(wildcard obj/*.d)\n",
    )
    return graph


def pipeline(size: int) -> Graph:
    """Samples go through four stages, are collated in pairs, and all pairs are merged."""
    graph = _graph("pipeline", size)
    pairs = []
    for number in range(max(1, size // 9)):
        ends = []
        for mate in (0, 1):
            sample = f"p{number:06d}_{mate}"
            graph.sources[f"src/{sample}.fq"] = _source(2 * number + mate)
            last = graph.add(f"out/trim/{sample}.fq", f"src/{sample}.fq", kind="head")
            last = graph.add(f"out/align/{sample}.bam", last, kind="cksum")
            last = graph.add(f"out/sort/{sample}.bam", last, kind="cksum")
            ends.append(graph.add(f"out/call/{sample}.vcf", last, kind="cksum"))
        pairs.append(graph.add(f"out/pair/p{number:06d}.txt", *ends, kind="cksum"))
    graph.edited = graph.jobs[0].inputs[0]
    graph.goals = [graph.add("out/merge.txt", *pairs, kind="merge")]
    _pipefile(
        graph,
        "merge: out/merge.txt: <pair>\n    [merge]\n"
        "trim: out/trim/<sample>.fq: src/<sample>.fq\n    [head]\n"
        "align: out/align/<sample>.bam: out/trim/<sample>.fq\n    [cksum]\n"
        "sort: out/sort/<sample>.bam: out/align/<sample>.bam\n    [cksum]\n"
        "call: out/call/<sample>.vcf: out/sort/<sample>.bam\n    [cksum]\n"
        "collate pair: out/pair/<p>.txt: out/call/<p>_<mate:[01]>.vcf\n    [cksum]\n",
    )
    _makefile(
        graph,
        "samples := $(patsubst src/%.fq,%,$(wildcard src/*.fq))\n"
        "pairs := $(patsubst %_0,%,$(filter %_0,$(samples)))\n"
        "all: out/merge.txt\n"
        "out/merge.txt: $(pairs:%=out/pair/%.txt)\n    [merge]\n"
        "$(samples:%=out/trim/%.fq): out/trim/%.fq: src/%.fq\n    [head]\n"
        "$(samples:%=out/align/%.bam): out/align/%.bam: out/trim/%.fq\n    [cksum]\n"
        "$(samples:%=out/sort/%.bam): out/sort/%.bam: out/align/%.bam\n    [cksum]\n"
        "$(samples:%=out/call/%.vcf): out/call/%.vcf: out/sort/%.bam\n    [cksum]\n"
        "$(pairs:%=out/pair/%.txt): out/pair/%.txt: out/call/%_0.vcf out/call/%_1.vcf\n"
        "    [cksum]\n",
    )
    return graph


SHAPES: dict[str, Callable[[int], Graph]] = {
    make.__name__: make
    for make in (wide, chain, layers, c, pipeline, shell, explicit, python, empty)
}
