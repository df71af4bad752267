"""What can be wrong in a chapter of the book, and the warning it must give.

A mistake is the text of a chapter, or its cells, where N stands for the chapter's number.
"""

from tiny_book import code, figure, labelled

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
