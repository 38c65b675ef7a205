"""Depfiles: the prerequisites that a compiler found, in make's own syntax.

The form is what `gcc -MD` and its relatives write: `target: prerequisite ...`, a backslash at the
end of a line goes on, `\\ ` is a blank, `\\#` a hash, `$$` a dollar.
"""

from __future__ import annotations

from pybuild.names import normalise


def read_depfile(text: str) -> list[str]:
    """The prerequisites named, each once, in order; phony header targets (`x.h:`) add nothing."""
    names: dict[str, None] = {}
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines():
        words = _words(line)
        for position, (word, is_end) in enumerate(words):
            if is_end:
                for name, _ in words[position + 1 :]:
                    names[normalise(name)] = None
                break
            del word
    return list(names)


def _words(line: str) -> list[tuple[str, bool]]:
    """The words of a line; the flag marks the one that ends the targets (`out.o:`)."""
    words: list[tuple[str, bool]] = []
    word: list[str] = []
    ended = False
    i = 0

    def take(is_end: bool) -> None:
        if word or is_end:
            words.append(("".join(word), is_end))
            word.clear()

    while i < len(line):
        char = line[i]
        following = line[i + 1 : i + 2]
        if char == "\\":
            size = len(line[i:]) - len(line[i:].lstrip("\\"))
            behind = line[i + size : i + size + 1]
            if behind in (" ", "\t", "#") and behind:
                # gcc doubles the backslashes before a blank, and puts one more to escape it.
                word.append("\\" * (size - 1 if behind == "#" else size // 2))
                if size % 2 or behind == "#":
                    word.append(behind)
                    size += 1
            else:
                word.append("\\" * size)
            i += size
            continue
        if char == "$" and following == "$":
            word.append("$")
            i += 2
            continue
        if char in " \t":
            take(False)
        elif char == ":" and not ended and following in (" ", "\t", ""):
            ended = True
            take(True)
        else:
            word.append(char)
        i += 1
    take(False)
    return words
