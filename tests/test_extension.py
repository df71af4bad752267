"""The book's Sphinx extensions, on a tiny book in which everything is right."""

import json
import re
from pkgutil import iter_modules

import pytest

pytest.importorskip("jupyter_book")

from ledger import problems, statements
from ledger_page import two_digits
from plain_markdown import translate, translate_notebook
from tiny_book import ROOT, build, check, code, figure, labelled, notebook, plotly, write

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
    plotly(),
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


def test_pages_load_only_the_scripts_they_need_and_from_the_book(good):
    for name, scripts in [
        ("04_first", {"mathjax/tex-chtml-full.js"}),
        ("07_second", {"mathjax/tex-chtml-full.js", "plotly.min.js"}),
        ("references", set()),
    ]:
        loaded = {tag["src"].split("?")[0] for tag in good.page(name).select("script[src]")}
        assert not any("//" in source for source in loaded)
        found = {source.removeprefix("_static/") for source in loaded}
        assert found & {"mathjax/tex-chtml-full.js", "plotly.min.js"} == scripts
        assert all((good.html / source).exists() for source in loaded)


def test_the_library_page_has_every_module():
    page = (ROOT / "book" / "library.md").read_text(encoding="utf-8")
    documented = re.findall(r"automodule:: spectral_ssl\.(\w+)", page)
    modules = [name for _, name, _ in iter_modules([ROOT / "spectral_ssl"]) if name[0] != "_"]
    assert sorted(documented) == sorted(modules)


def test_numbers_have_two_digits():
    values = (3.14e-15, 1e-8, 0, 0.4321, 12.6, 431, 4321, -2e-5)
    assert [two_digits(value) for value in values] == [
        "3.1 × 10⁻¹⁵", "10⁻⁸", "0", "0.43", "13", "430",
        "4.3 × 10³", "−2.0 × 10⁻⁵",
    ]


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
