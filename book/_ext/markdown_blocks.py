"""Find where the blocks of a Markdown text begin and end, and where its code is."""

import re

FENCE = re.compile(r"[ >]*(`{3,}|~{3,})")
CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)\1(?!`)", re.DOTALL)
QUOTE = re.compile(r" *> ?")
DETAILS = re.compile(r" *<details( open)?>")
MASK = "·"


def masked_code(text):
    """The text, line by line, with dots for the code in its fences and spans."""
    lines, fence = text.split("\n"), None
    for position, line in enumerate(lines):
        opening = fence or FENCE.match(line)
        if opening:
            start = opening.start(1)
            lines[position] = line[:start] + MASK * len(line[start:])
            fence = None if fence and _closes(line, fence[1]) else opening
    return CODE_SPAN.sub(_masked_span, "\n".join(lines))


def end_of_block(lines, start):
    """The line after the quote, formula or details element that starts here."""
    if start >= len(lines):
        return start
    if lines[start].strip().startswith("$$"):
        return _end_of_formula(lines, start)
    if QUOTE.match(lines[start]):
        outside = (n for n in range(start, len(lines)) if not QUOTE.match(lines[n]))
        return next(outside, len(lines))
    if DETAILS.match(lines[start]):
        return _end_of_details(lines, start)
    return start + 1


def unquoted(block):
    """The text inside a quote."""
    return "\n".join(QUOTE.sub("", line, count=1) for line in block)


def indent_of(line):
    return line[: len(line) - len(line.lstrip(" "))]


def indented(text, indent):
    return [(indent + line).rstrip() for line in text.split("\n")]


def dedented(text, indent):
    return re.sub(rf"^{indent}", "", text, flags=re.MULTILINE)


def _closes(line, fence):
    closing = line.lstrip(" >").rstrip()
    return closing.startswith(fence) and not closing.strip(fence[0])


def _masked_span(span):
    """A quote's marks at the start of a line stay."""
    return re.sub(r"(\n[ >]*)|.", lambda found: found[1] or MASK, span[0])


def _end_of_formula(lines, start):
    text = lines[start].strip()[2:]
    for position in range(start, len(lines)):
        if text.rstrip().endswith("$$"):
            return position + 1
        text = lines[position + 1] if position + 1 < len(lines) else ""
    return len(lines)


def _end_of_details(lines, start):
    depth = 0
    for position in range(start, len(lines)):
        depth += lines[position].count("<details")
        depth -= lines[position].count("</details>")
        if depth <= 0:
            return position + 1
    return len(lines)
