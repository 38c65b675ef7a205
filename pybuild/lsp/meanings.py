"""What the words of the language mean, in a few words: for completion and hover."""

from __future__ import annotations

JOB_MEANINGS = {
    "input": "the first prerequisite",
    "inputs": "all prerequisites but those behind `|`",
    "output": "the first target",
    "outputs": "all targets",
    "order_only": "the prerequisites behind `|`",
    "changed": "the prerequisites that are newer than the target",
    "stem": "what `%` matched",
    "rule": "the name of the rule",
    "path": "the folder of the first prerequisite",
    "basename": "the name of the first prerequisite without folder and extension",
    "ext": "the extension of the first prerequisite, with its dot",
    "filename": "the name of the first prerequisite without folder",
    "subdir": "the folders of the first prerequisite, from the innermost: `<subdir[0]>`",
    "subpath": "the paths of these folders: `<subpath[0]>`",
}
KIND_MEANINGS = {
    "split": "what the recipe leaves that fits the targets is its output, known after it ran",
    "collate": "matches that give the same targets make one job",
    "value": "what the block returns is an object for other blocks",
    "product": "one job for each tuple of files of several prerequisites",
}
BUILTIN_MEANINGS = {
    "glob": "`glob(pattern)`: the files that match, those that rules make among them",
    "env": "`env(name, default)`: a variable of the environment",
    "sh": "`sh(command)`: what a command prints, run when the file is read",
    "read": "`read(path)`: the text of a file",
    "config": "`config(path)`: the data of a TOML, JSON or YAML file",
    "Path": "`pathlib.Path`",
    "run": "`run(command, *files)`: what a command prints, in a recipe",
}
