"""The book's Sphinx extensions, on tiny books with everything right and everything wrong."""

import json
import re
import sys
from pathlib import Path

import pytest

pytest.importorskip("jupyter_book")
sys.path.insert(0, str(Path(__file__).parent / "extension"))

from ledger import problems, statements  # noqa: E402
from ledger_page import two_digits  # noqa: E402
from plain_markdown import translate, translate_notebook  # noqa: E402
from tiny_book import build, check, code, figure, markdown, notebook, write  # noqa: E402

STATEMENT = r"""
<a id="thm-main"></a>
> **Theorem 4.1 (Ky Fan, with $x^2$).** Let $a = 0.5$ and [(4.1)](#eq-inside) hold. Then
>
> 1. first,
>    - nested,
>
>      <a id="eq-inside"></a>
>      $$ a
>         = b \tag{4.1} $$
> 2. second, by [Figure 4.1](#fig-dot).
>
> > A quote.

<a id="lem-next"></a>
> **Lemma 4.2.** Another, $$ c = d $$ displayed.

<details><summary>Proof of $x$</summary>

By [Theorem 4.1](#thm-main).

<a id="cor-inner"></a>
> **Corollary 4.3 (Inner).** Inside.

```text
</details>
<a id="eq-code"></a>
```

<details>
<summary>Hint</summary>

Deep.

</details>

</details>
"""
CODE = "# [Theorem 9.9](#thm-none)\ns = '''\n<a id=\"eq-x\"></a>\n$$ x \\tag{9.9} $$\n'''"
GOOD = notebook(
    "# 4. First chapter\n\nAfter [Fan (1949)](#cite-fan1949), `[Theorem 9](#thm-9)`.",
    f'<a id="sec-one"></a>\n## 4.1 Statements\n{STATEMENT}',
    code(CODE),
    figure(),
    '<a id="fig-dot"></a>\n**Figure 4.1.** A dot by\n[Lemma 4.2](#lem-next).\n\nThe rest.',
    '<a id="exr-one"></a>\n> **Exercise 4.1 (Do $y$).** See [Section 4.1](#sec-one).',
    "<details open><summary>Solution</summary>\n\nDone.\n\n</details>",
    check("thm-main"),
    check("thm-main", value=0.4321, without="$a = 0.5$"),
    check("lem-next"),
    check("cor-inner"),
    '- <a id="cite-fan1949"></a>Fan, K. (1949). On a theorem.',
)
OTHER = notebook(
    "# 7. Second chapter\n\nBy [Theorem 4.1](04_first.ipynb#thm-main), "
    "[(4.1)](04_first.ipynb#eq-inside), [Figure 4.1](04_first.ipynb#fig-dot), "
    "[the section](04_first.ipynb#sec-one) of [Chapter 4](04_first.ipynb).",
    '## 7.1 Section\n\n<a id="def-x"></a>\n> **Definition 7.1.** A word.',
    '<a id="eq-seven"></a>\n$$\n\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}\n'
    "\\tag{7.1}\n$$\n\nand [(7.1)](#eq-seven)",
)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    ledger = "# Ledger\n\nFrom [Fan (1949)](references.md#cite-fan1949).\n\n```{ledger}\n```\n"
    pages = {"04_first.ipynb": GOOD, "07_second.ipynb": OTHER, "ledger.md": ledger}
    write(folder, pages)
    return build(folder)


def words(element):
    return " ".join(element.get_text().replace("¶", "").split())


def test_a_right_book_builds_without_warnings(good):
    assert good.warnings == ""


def test_chapters_are_numbered_by_their_files(good):
    for page, number in [("04_first", 4), ("07_second", 7)]:
        soup = good.page(page)
        assert words(soup.h1).startswith(f"{number} ")
        assert words(soup.h2).startswith(f"{number}.1 ")
    contents = words(good.page("index").select_one(".toctree-wrapper"))
    assert "4 First chapter" in contents and "7 Second chapter" in contents


def test_a_statement_keeps_its_lists_and_formulas(good):
    theorem = good.page("04_first").find(id="thm-main")
    assert words(theorem.p) == r"Theorem 4.1 (Ky Fan, with \(x^2\))"
    assert words(theorem.select_one("ol > li")).startswith("first, nested,")
    formula = theorem.select_one("ul .math")
    assert formula.find(id="eq-inside") and words(formula.find(class_="eqno")) == "(4.1)"
    assert "tag" not in formula.get_text()
    assert words(theorem.blockquote) == "A quote."
    assert "“" not in words(theorem) and ">" not in words(theorem)


def test_several_statements_in_one_cell_share_a_counter(good):
    soup = good.page("04_first")
    titles = [words(soup.find(id=label).p) for label in ("lem-next", "cor-inner")]
    assert titles == ["Lemma 4.2", "Corollary 4.3 (Inner)"]
    assert soup.find(id="lem-next").select_one("div.math")


def test_details_fold(good):
    soup = good.page("04_first")
    proof, hint, solution = soup.select("details.folded")
    assert words(proof.summary) == r"Proof of \(x\)"
    assert "folded-proof" in proof["class"] and hint in proof.select("details")
    assert proof.find(id="cor-inner") and "</details>" in proof.pre.get_text()
    assert solution.has_attr("open") and not proof.has_attr("open")


def test_links_keep_their_text_and_find_other_chapters(good):
    links = {words(link): link["href"] for link in good.page("07_second").select("a.internal")}
    assert links["Theorem 4.1"] == "04_first.html#thm-main"
    assert links["(4.1)"] == "04_first.html#eq-inside"
    assert links["Figure 4.1"] == "04_first.html#fig-dot"
    assert links["the section"] == "04_first.html#sec-one"
    assert links["(7.1)"] == "#eq-seven"
    target = good.page("04_first")
    assert all(target.find(id=label) for label in ("thm-main", "fig-dot", "sec-one"))


def test_citations_lead_to_the_bibliography(good):
    link = good.page("04_first").find("a", string="Fan (1949)")
    link = link or good.page("04_first").select_one("a[href*=cite-fan1949]")
    assert link["href"] == "references.html#cite-fan1949"
    assert good.page("references").find(id="cite-fan1949")
    assert good.page("04_first").select_one("li a#cite-fan1949")


def test_a_caption_joins_its_figure(good):
    soup = good.page("04_first")
    drawing = soup.find("figure", id="fig-dot")
    assert drawing.img["alt"] == "A dot"
    assert words(drawing.figcaption) == "Figure 4.1 A dot by Lemma 4.2."
    assert "The rest." in [words(p) for p in soup.find_all("p")]


def test_code_is_left_alone(good):
    soup = good.page("04_first")
    assert soup.select_one(".cell_input pre").get_text().strip() == CODE
    assert "[Theorem 9](#thm-9)" in [words(span) for span in soup.find_all("code")]


def test_code_cells_stay_as_they_are():
    translated = json.loads(translate_notebook(GOOD).text)["cells"]
    for before, after in zip(json.loads(GOOD)["cells"], translated, strict=True):
        if before["cell_type"] == "code":
            assert (before["source"], before["outputs"]) == (after["source"], after["outputs"])


@pytest.mark.parametrize(
    "text",
    [
        "Say `$$ x \\tag{1.1}\n$$ and > **Theorem 1.1.**` here.",
        '`` `a`\n<a id="eq-x"></a>\n$$ b \\tag{1.1} $$ ``',
        '~~~\n<a id="thm-x"></a>\n> **Theorem 1.1.** No.\n~~~',
        "````md\n```\n<details><summary>No</summary>\n```\n````",
        "> A plain quote\n> > of two levels.",
    ],
)
def test_text_outside_the_form_is_left_alone(text):
    assert translate(text).text == text
    assert translate(text).problems == []


def test_the_ledger_shows_each_check(good):
    soup = good.page("ledger")
    rows = [[words(cell) for cell in row.find_all("td")] for row in soup.select("tbody tr")]
    conditions = r"Let \(a = 0.5\) and (4.1) hold."
    theorem = r"Theorem 4.1 (Ky Fan, with \(x^2\))"
    assert rows[0] == [theorem, conditions, "gap", "3.1 × 10⁻¹⁵", "< 10⁻⁸"]
    beyond = r"Without \(a = 0.5\): gap"
    assert rows[1] == [beyond, "0.43", "> 0.1"]
    assert len(rows) == 4
    assert words(soup.h2) == "Chapter 4: First chapter"
    assert "3 statements, 4 checks, 1 of them beyond" in words(soup.body)
    assert soup.select_one("tr.beyond")
    assert soup.select_one("tbody a")["href"] == "04_first.html#thm-main"


def test_numbers_have_two_digits():
    shown = [two_digits(value) for value in (3.14e-15, 1e-8, 0, 0.4321, 12.6, 431, 4321, -2e-5)]
    assert shown == ["3.1 × 10⁻¹⁵", "10⁻⁸", "0", "0.43", "13", "430", "4.3 × 10³", "−2.0 × 10⁻⁵"]


def labelled(label, block):
    return f'<a id="{label}"></a>\n{block}'


# What is wrong in a chapter N, and the one warning it must give.
MISTAKES = {
    "title": ("# 3. Other title", "“Other title” is typed 3, but it is N"),
    "heading": ("## N.2 Heading", "“Heading” is typed N.2, but it is N.1"),
    "statement": (
        labelled("thm-number", "> **Theorem N.2.** Text."),
        "thm-number is typed Theorem N.2, but it is N.1",
    ),
    "equation": (
        labelled("eq-number", "$$ a \\tag{N.3} $$"),
        "eq-number is typed Equation N.3, but it is N.1",
    ),
    "exercise": (
        labelled("exr-number", "> **Exercise N.4.** Text."),
        "exr-number is typed Exercise N.4, but it is N.1",
    ),
    "caption": (
        [figure(), labelled("fig-number", "**Figure N.5.** Text.")],
        "fig-number is typed Figure N.5, but it is N.1",
    ),
    "link_number": (
        "By [Lemma N.2](#lem-a).\n\n" + labelled("lem-a", "> **Lemma N.1.** Text."),
        "“Lemma N.2” leads to lem-a, which is Lemma N.1",
    ),
    "link_kind": (
        "By [Theorem N.1](#lem-b).\n\n" + labelled("lem-b", "> **Lemma N.1.** Text."),
        "“Theorem N.1” leads to lem-b, which is Lemma N.1",
    ),
    "link_equation": (
        "By [(N.2)](#eq-c).\n\n" + labelled("eq-c", "$$ a \\tag{N.1} $$"),
        "“(N.2)” leads to eq-c, which is Equation N.1",
    ),
    "link_section": (
        "By [Section N.2](#sec-d).\n\n" + labelled("sec-d", "## N.1 Heading"),
        "“Section N.2” leads to sec-d, which is Section N.1",
    ),
    "link_chapter": (
        "By [Chapter 9](11_title.ipynb).",
        "“Chapter 9” leads to 11_title, which is Chapter 11",
    ),
    "unknown": (
        "By [Theorem N.1](#thm-nowhere).",
        "“Theorem N.1” leads to thm-nowhere, which is nowhere defined",
    ),
    "unknown_there": (
        "By [it](11_title.ipynb#thm-nowhere).",
        "“it” leads to thm-nowhere, which is nowhere defined",
    ),
    "unknown_file": (
        "By [it](99_none.ipynb#thm-x).",
        "'myst' cross-reference target not found: '99_none.ipynb#thm-x' [myst.xref_missing]",
    ),
    "elsewhere": (
        "By [it](#thm-number).",
        "“it” leads to thm-number, which is in 13_statement",
    ),
    "twice": (
        labelled("def-e", "> **Definition N.1.** A.")
        + "\n\n"
        + labelled("def-e", "> **Definition N.1.** B."),
        "the label def-e is used 3 times",
    ),
    "once_more": (
        labelled("def-e", "> **Definition N.1.** C."),
        "the label def-e is used 3 times",
    ),
    "prefix": (
        labelled("thm-f", "> **Lemma N.1.** Text."),
        "the label thm-f does not name a lemma",
    ),
    "no_label": ("> **Remark N.1.** Text.", "Remark N.1 has no label"),
    "no_exercise_label": ("> **Exercise N.1.** Text.", "Exercise N.1 has no label"),
    "no_tag_label": (
        "$$ a \\tag{N.1} $$",
        "an equation with a \\tag has no label: $$ a \\tag{N.1} $$",
    ),
    "no_caption_label": (
        [figure(), "**Figure N.1.** Text."],
        "a caption has no label: **Figure N.1.** Text.",
    ),
    "no_tag": (
        labelled("eq-g", "$$ a $$"),
        "the equation eq-g has no \\tag with its number",
    ),
    "no_alt": (
        [figure(alt=""), labelled("fig-h", "**Figure N.1.** Text.")],
        "fig-h has no alt text",
    ),
    "no_figure": (
        [code("pass"), labelled("fig-i", "**Figure N.1.** Text.")],
        "fig-i needs one output of the code cell before it, not 0",
    ),
    "no_statement": (
        labelled("thm-j", "Only text."),
        "the anchor thm-j is not followed by its theorem",
    ),
    "no_number": (
        labelled("thm-k", "> **Theorem (Name).** Text."),
        "not of the form **Theorem 1.2 (Name).**: > **Theorem (Name).** Text.",
    ),
    "no_line": (
        'Text <a id="thm-l"></a> here.',
        'an anchor is not alone on its line: Text <a id="thm-l"></a> here.',
    ),
    "no_end": (
        "<details><summary>Proof</summary>\n\nText.",
        "a <details> has no <summary>, or no end in its cell",
    ),
    "cite_unknown": (
        "By [Weyl (1912)](#cite-weyl1912).\n\n- <a id=\"cite-weyl1912\"></a>Weyl (1912).",
        "weyl1912 is cited, but not in the bibliography",
    ),
    "cite_year": (
        "By [Fan (1950)](#cite-fan1949).\n\n- <a id=\"cite-fan1949\"></a>Fan (1949).",
        "“Fan (1950)” cites fan1949, which is Fan (1949)",
    ),
    "cite_name": (
        "By [Weyl (1949)](#cite-fan1949).\n\n- <a id=\"cite-fan1949\"></a>Fan (1949).",
        "“Weyl (1949)” cites fan1949, which is Fan (1949)",
    ),
    "cite_item": (
        "By [Fan (1949)](#cite-fan1949).\n\n- <a id=\"cite-fan1949\"></a>Fan (1948).",
        "“Fan (1948).” cites fan1949, which is Fan (1949)",
    ),
    "cite_unlisted": (
        "By [Fan (1949)](#cite-fan1949).",
        "fan1949 is cited, but not in the page's references",
    ),
    "cite_uncited": (
        '- <a id="cite-chung1997"></a>Chung (1997).',
        "chung1997 is in the page's references, but not cited",
    ),
    "cite_elsewhere": (
        "By [Fan (1949)](11_title.ipynb#cite-fan1949).",
        "“Fan (1949)” leads to cite-fan1949, which is not in 11_title",
    ),
}
NUMBERS = {name: number for number, name in enumerate(MISTAKES, start=11)}


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wrong")
    pages = {}
    for name, (cells, _) in MISTAKES.items():
        cells = [cells] if isinstance(cells, str) else cells
        if name != "title":
            cells = ["# Title", *cells]
        text = notebook(*cells).replace("N.", f"{NUMBERS[name]}.")
        pages[f"{NUMBERS[name]}_{name}.ipynb"] = text
    write(folder, pages)
    return build(folder)


def expected(name):
    return re.sub(r"N(?=\.)|\bN$", str(NUMBERS[name]), MISTAKES[name][1])


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_a_warning(wrong, name):
    found = wrong.warnings_of(f"{NUMBERS[name]}_{name}")
    assert expected(name) in found
    assert name == "twice" or len(found) == 1


def test_every_warning_is_expected(wrong):
    ours = re.findall(r"(\d+_\w+)\.ipynb(?::\d+)?: WARNING", wrong.warnings)
    assert set(ours) == {f"{number}_{name}" for name, number in NUMBERS.items()}


def test_a_second_build_warns_again(wrong):
    again = build(wrong.folder)
    for name, number in NUMBERS.items():
        assert expected(name) in again.warnings_of(f"{number}_{name}")


@pytest.fixture
def chapter(tmp_path):
    def path(*cells):
        file = tmp_path / "04_chapter.ipynb"
        file.write_text(notebook(*cells), encoding="utf-8")
        return file

    return path


def test_the_ledger_wants_a_check_of_each_statement(chapter):
    lemma = labelled("lem-a", "> **Lemma 4.1.** Text.")
    remark = labelled("rem-b", "> **Remark 4.2.** Text.")
    assert problems([chapter(lemma, remark, check("lem-a"))]) == []
    missing = ["04_chapter.ipynb: lem-a has no check"]
    assert problems([chapter(lemma)]) == missing
    assert problems([chapter(lemma, check("lem-a", without="all"))]) == missing


def test_the_ledger_wants_a_statement_for_each_check(chapter):
    path = chapter(check("thm-gone"))
    assert problems([path]) == ["04_chapter.ipynb: no statement has the label thm-gone"]


@pytest.mark.parametrize(
    "text, conditions",
    [
        ("Let $a=0.5$. Then $b$.", "Let $a=0.5$."),
        ("For any $G$, e.g. $I$, all holds. Then", "For any $G$, e.g. $I$, all holds."),
        ("Let\n\n$$ a. \\tag{4.1} $$\n\nhold.", "Let $$ a. $$ hold."),
        ("No end", "No end"),
    ],
)
def test_conditions_are_the_first_sentence(chapter, text, conditions):
    statement = labelled("thm-a", "> **Theorem 4.1.** " + text.replace("\n", "\n> "))
    assert statements(chapter(statement))[0].conditions == conditions
