"""What is to be said of a name: values, origins, what placeholders take, how a target is made."""

from __future__ import annotations

import time

from lsprotocol import types

from pybuild.lsp.asking import NoAnswer, ask
from pybuild.lsp.meanings import JOB_MEANINGS
from pybuild.lsp.names import (
    ATTRIBUTE,
    CAPTURE,
    FILE,
    JOB,
    NAMED_FILE,
    PARAM,
    PYTHON,
    RULE,
    VARIABLE,
    Occurrence,
    label_of,
)
from pybuild.lsp.plan import JobFacts, Told, told
from pybuild.lsp.projects import Here
from pybuild.lsp.references import rules_making
from pybuild.pipefile import syntax
from pybuild.pipefile.attributes import ATTRIBUTES
from pybuild.pipefile.template import FILE_PARTS, file_part
from pybuild.typed import Any

_MOST_SHOWN = 8
_LONGEST = 300
_ORIGINS = {
    "file": "assigned here",
    "environment": "from the environment",
    "command line": "from the command line",
}


async def hover(here: Here, offset: int) -> types.Hover | None:
    """What is to be said of what stands at a place; nothing if the text has changed since: what was
    known of it is over then."""
    if here.project.analysis() is not here.analysis:
        return None
    one = here.analysis.names.at(here.sheet, offset)
    if one is None:
        return None
    text = await _told(here, one)
    if not text:
        return None
    return types.Hover(
        types.MarkupContent(types.MarkupKind.Markdown, text),
        here.sheet.lines.range(one.start, one.end),
    )


def is_for_python(here: Here, offset: int) -> bool:
    """Whether Python knows more of what stands at a place than the Pipefile does."""
    one = here.analysis.names.at(here.sheet, offset)
    return one is None or one.kind == PYTHON


async def _told(here: Here, one: Occurrence) -> str:
    rule = here.sheet.statement_at(one.start)
    if not isinstance(rule, syntax.Rule):
        rule = None
    if one.kind == ATTRIBUTE:
        spec = ATTRIBUTES.get(one.name)
        return f"```\n{spec.usage}\n```\n{spec.meaning}" if spec else ""
    if one.kind == VARIABLE:
        return _variable(here, one.name)
    if one.kind == PYTHON:
        return f"`{one.name}`: of a `python:` block, which is run in a build only"
    if one.kind == RULE:
        return _rule(here, one.name)
    if one.kind == FILE:
        return await _target(here, one.name)
    if rule is not None:
        return _of_rule(here, rule, one)
    return ""


def value_of(here: Here, name: str) -> str:
    """The value of a variable as text; "" if it is not known without running something."""
    loaded = here.analysis.loaded
    if loaded is None or name not in loaded.pipeline.variables:
        return ""
    return _short(repr(loaded.pipeline.variables[name]))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _variable(here: Here, name: str) -> str:
    value = value_of(here, name)
    found = here.analysis.names.variables.get(name, [])
    loaded = here.analysis.loaded
    origin = loaded.pipeline.origins.get(name, "") if loaded else ""
    place = ""
    if found:
        sheet, each = found[-1]
        place = f"`{sheet.name}:{sheet.lines.line_of(each.start) + 1}`"
    where = _ORIGINS.get(origin, origin)
    if origin == "file":
        where = f"assigned in {place}"
    if not value:
        return f"`{name}`: its value is known in a build only, assigned in {place}"
    return f"```python\n{name} = {value}\n```\n{where}"


def _rule(here: Here, name: str) -> str:
    for sheet, each in here.analysis.names.rules.get(name, []):
        rule = sheet.statement_at(each.start)
        if isinstance(rule, syntax.Rule):
            return _rule_told(here, rule)
    return ""


def _rule_told(here: Here, rule: syntax.Rule) -> str:
    text = rule.span.source.text[rule.span.start : rule.span.end]
    parts = [f"```pipefile\n{text}\n```"]
    facts = here.facts(rule)
    if facts is not None:
        parts.append(f"{facts.total} {'job' if facts.total == 1 else 'jobs'}")
        parts += [_job_line(job) for job in facts.jobs[:_MOST_SHOWN]]
        if facts.total > _MOST_SHOWN:
            parts.append(f"- and {facts.total - _MOST_SHOWN} more")
    return "\n".join(parts)


def _job_line(job: JobFacts) -> str:
    made = ", ".join(f"`{each}`" for each in job.outputs[:3]) or f"`{job.name}`"
    taken = ", ".join(f"`{each}`" for each in job.inputs[:3])
    return f"- {made} from {taken}" if taken else f"- {made}"


def _of_rule(here: Here, rule: syntax.Rule, one: Occurrence) -> str:
    """A name that a job of the rule has: what it is, and what it takes in this project."""
    what = {
        CAPTURE: "a capture",
        NAMED_FILE: "a file that is named in the header",
        PARAM: "of `@params`",
        JOB: JOB_MEANINGS.get(one.name, ""),
    }[one.kind]
    facts = here.facts(rule)
    values: dict[str, None] = {}
    for job in facts.jobs if facts else ():
        value = _value_in(job, one)
        if value:
            values[value] = None
    lines = [f"`<{one.name}>`: {what}"]
    if one.name == "rule":
        lines = [f"`<rule>`: `{label_of(rule)}`"]
    if values and facts is not None:
        shown = list(values)[:_MOST_SHOWN]
        more = ", ..." if len(values) > _MOST_SHOWN or facts.total > len(facts.jobs) else ""
        lines.append(f"takes {', '.join(f'`{each}`' for each in shown)}{more}")
    elif facts is not None and not facts.total:
        lines.append("the rule has no jobs")
    return "\n\n".join(lines)


def _value_in(job: JobFacts, one: Occurrence) -> str:
    if one.kind == CAPTURE:
        return job.captures.get(one.name, "")
    if one.kind != JOB:
        return ""
    first_input = job.inputs[0] if job.inputs else ""
    if one.name in ("input", "inputs"):
        return first_input if one.name == "input" else " ".join(job.inputs)
    if one.name in ("output", "outputs"):
        return job.outputs[0] if one.name == "output" and job.outputs else " ".join(job.outputs)
    if one.name in FILE_PARTS and first_input:
        part: Any = file_part(first_input, one.name)
        return str(list(map(str, part))) if isinstance(part, list) else str(part)
    return ""


async def _target(here: Here, name: str) -> str:
    """How a file is made, by a process that works it out; or that it is a source."""
    project = here.project
    try:
        found = await ask(lambda: told(project.place, here.analysis.texts, project.reader, name))
    except NoAnswer:
        found = None
    if found is not None:
        return _job_told(name, found)
    made = [rule for _, rule in rules_making(here, name)]
    if made:
        return _rule_told(here, made[0])
    return f"`{name}`: a file that no rule makes"


def _job_told(name: str, found: Told) -> str:
    parts = [f"`{name}`, made by the rule `{found.rule}`"]
    if found.job.inputs:
        parts.append("from " + ", ".join(f"`{each}`" for each in found.job.inputs[:_MOST_SHOWN]))
    if found.recipe:
        parts.append(f"```sh\n{_short(found.recipe)}\n```")
    if found.reasons is not None:
        parts.append("would run: " + "; ".join(found.reasons) if found.reasons else "up to date")
    if found.seconds is not None:
        parts.append(f"took {_duration(found.seconds)} last time")
    return "\n\n".join(parts)


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.2f} s"
    return time.strftime("%H:%M:%S", time.gmtime(seconds))
