"""Each assignment gives every answer the points that it deserves.

All the students of `tests/variants/NAME.py` hand in together and are graded in one run of
`make grade`'s program, which first grades the instructor's own solution.
"""

import csv
import re
import runpy
import shutil
from copy import deepcopy
from pathlib import Path

import course
import house_rules as rules
import nbformat
import pytest
from project import ROOT

ASSIGNMENTS = ROOT / "assignments"
NAMES = course.masters(ASSIGNMENTS)
SECONDS = 30
DIED = "dies"
UNANSWERED = "NotImplementedError: not answered yet"
RULES = [
    rules.begins_with_install_guard,
    rules.imports_what_colab_has,
    rules.has_narrow_code,
    rules.is_plain_markdown,
    rules.keeps_quoted_math_on_one_line,
    rules.has_no_absolute_path,
    rules.stays_offline,
    rules.silences_nothing,
    rules.keeps_torch,
    rules.is_small,
]


def variants(name):
    return runpy.run_path(str(ROOT / "tests" / "variants" / f"{name}.py"))


def read(path):
    return nbformat.read(path, as_version=4)


def master(name):
    return read(course.notebook_of(ASSIGNMENTS, "source", name))


def points(name):
    """By name, the points of each question."""
    cells = course.known(master(name)).values()
    return {c.metadata.nbgrader.grade_id: c.metadata.nbgrader.points for c in cells if c.metadata.nbgrader.grade}


def by_tests(name):
    """By name, the points of the questions that tests grade."""
    answers = {n for n, c in course.known(master(name)).items() if c.metadata.nbgrader.solution}
    return {question: most for question, most in points(name).items() if question not in answers}


def lines_between(text, what):
    """The lines of a cell's regions of solutions or hidden tests."""
    for region in re.findall(rf"### BEGIN {what}\n(.*?)### END {what}", text, re.S):
        yield from filter(None, map(str.strip, region.splitlines()))


def answered(edition, solved, answers=None):
    """A student edition with the solutions' code, and some answers in place of others."""
    notebook = deepcopy(edition)
    for question, cell in course.known(notebook).items():
        settings = cell.metadata.nbgrader
        if settings["solution"] and (cell.cell_type == "code") and not settings["grade"]:
            cell.source = course.known(solved)[question].source
        if question in (answers or {}):
            cell.source = answers[question].strip("\n")
    return notebook


def in_colab(notebook):
    """The notebook as Colab saves it: an older format, ids in the metadata, its own keys."""
    notebook = deepcopy(notebook)
    notebook.nbformat_minor = 0
    notebook.metadata = nbformat.from_dict({
        "colab": {"provenance": [], "toc_visible": True},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
        "accelerator": "GPU",
    })
    for cell in notebook.cells:
        cell.metadata["id"] = cell.pop("id")
        if cell.cell_type == "code":
            cell.metadata["executionInfo"] = {"status": "ok", "elapsed": 3, "user": {}}
            cell.metadata["outputId"] = "0123456789ab"
    return notebook


def harmed(notebook, deleted, tampered):
    """Some cells gone, some tests emptied and worth more."""
    notebook.cells = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") not in deleted]
    cells = course.known(notebook)
    for question in tampered:
        cells[question].source = "pass"
        cells[question].metadata.nbgrader.update(points=99, locked=False)
    return notebook


def hand_in(name, edition, folder):
    """Write what all students hand in, and return by student the tests that they lose."""
    own, solved, lost = variants(name), master(name), {}
    late = folder / "Ann Other_17_assignsubmission_file_"
    late.mkdir(parents=True)
    for student, answers in own["WRONG"].items():
        notebook = answered(edition, solved, own["USUAL"] | {q: source for q, (source, _) in answers.items()})
        lost[student] = [test for _, tests in answers.values() for test in tests]
        if student == "harm":
            harmed(notebook, {*own["DELETED"], *own["LOST"]}, own["TAMPERED"])
            lost[student] += sum(own["LOST"].values(), [])
        nbformat.write(notebook, folder / f"{student}.ipynb")
    nbformat.write(in_colab(answered(edition, solved, own["OTHER"])), late / f"Copy of {name}.ipynb")
    nbformat.write(edition, folder / f"doejane_LATE_23_4567_{name}-1.ipynb")
    notebook = answered(edition, solved)
    notebook.cells.insert(1, nbformat.v4.new_code_cell("import os\nos._exit(1)"))
    nbformat.write(notebook, folder / f"{DIED}.ipynb")
    return lost | {"17": [], "23": list(by_tests(name))}


@pytest.fixture(scope="class")
def graded(request, tmp_path_factory):
    """The assignment's name, the folder in which its students were graded, and what they lose."""
    name, folder = request.cls.name, tmp_path_factory.mktemp("course")
    home = folder / "course"
    shutil.copytree(ASSIGNMENTS / "source" / name, home / "source" / name)
    shutil.copy(ASSIGNMENTS / "nbgrader_config.py", home)
    edition = read(course.release(home, name))
    lost = hand_in(name, edition, folder / "handed_in")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SECONDS_PER_CELL", str(SECONDS))
        failed = course.grade(home, name, folder / "handed_in")
    assert failed == 1
    return name, home, lost


def test_there_are_assignments():
    assert NAMES
    assert {path.stem for path in (ROOT / "tests" / "variants").glob("*.py")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_points(name):
    assert sum(points(name).values()) == 100
    assert 0 < sum(by_tests(name).values()) < 100
    own = variants(name)
    answers = {q for student in own["WRONG"].values() for q in student} | set(own["LOST"])
    wanted = {
        question
        for question, cell in course.known(master(name)).items()
        if cell.metadata.nbgrader.solution and not cell.metadata.nbgrader.grade
    }
    assert answers == wanted, "each function has a wrong variant"
    assert wanted <= set(own["OTHER"])
    lost = {t for student in own["WRONG"].values() for _, tests in student.values() for t in tests}
    assert lost == set(by_tests(name)), "each test fails for some variant"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_house_rule(name, rule):
    notebook = master(name)
    for cell in notebook.cells:
        cell.source = "\n".join(line for line in cell.source.splitlines() if not line.startswith("###"))
    assert not list(rule(notebook))


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short(name):
    for cell in master(name).cells:
        assert cell.cell_type != "code" or len(cell.source.splitlines()) <= 25, cell.source


@pytest.mark.parametrize("name", NAMES)
def test_written_answers_have_a_rubric(name):
    for question, cell in course.known(master(name)).items():
        if cell.metadata.nbgrader.grade and cell.metadata.nbgrader.solution:
            assert re.search(r"\bRubric[.:]", cell.source), question


class Grading:
    """What holds of each assignment's grades."""

    def test_students_get_exactly_their_points(self, graded):
        name, home, lost = graded
        tests, rows = by_tests(name), course.grades(home, name)
        assert set(rows) == set(lost)
        for student, failed in lost.items():
            scores = {question: score for question, (score, *_) in rows[student][0].items()}
            expected = {test: 0 if test in failed else most for test, most in tests.items()}
            assert {test: scores[test] for test in tests} == expected, student

    def test_untouched_edition_stops_at_the_first_question(self, graded):
        name, home, _ = graded
        notebook = read(course.notebook_of(home, "autograded", name, "23"))
        errors = [o for c in notebook.cells for o in c.get("outputs", []) if o.output_type == "error"]
        assert f"{errors[0].ename}: {errors[0].evalue}".startswith(UNANSWERED)
        scores, by_hand = course.grades(home, name)["23"]
        assert sum(score for score, *_ in scores.values()) == 0 and not by_hand

    def test_table(self, graded):
        name, home, lost = graded
        with open(home / "grades" / f"{name}.csv", newline="", encoding="utf-8") as file:
            rows = {row["student"]: row for row in csv.DictReader(file)}
        assert set(rows) == set(lost)
        for student, row in rows.items():
            tests = {test: float(row[test]) for test in by_tests(name)}
            assert float(row["score"]) == sum(tests.values()) and float(row["max_score"]) == 100, student
        assert rows["17"]["to_grade_by_hand"] == "yes"

    def test_feedback_says_what_was_expected(self, graded):
        name, home, lost = graded
        for student in lost:
            page = (home / "feedback" / student / name / f"{name}.html").read_text()
            assert student == "17" or "AssertionError" in page or UNANSWERED[:19] in page
        page = (home / "feedback" / "harm" / name / f"{name}.html").read_text()
        assert f"the cell ran for more than {SECONDS} seconds" in page and "MemoryError" in page

    def test_dead_kernel_is_no_zero(self, graded):
        name, home, _ = graded
        assert not (home / "feedback" / DIED).exists()
        assert (home / "grades" / f"{name}.log").exists()

    def test_student_edition_has_no_solution(self, graded):
        name, home, _ = graded
        edition = course.known(read(course.notebook_of(home, "release", name)))
        text = "\n".join(cell.source for cell in edition.values())
        for question, cell in course.known(master(name)).items():
            secret = [line for what in ("SOLUTION", "HIDDEN TESTS") for line in lines_between(cell.source, what)]
            if cell.metadata.nbgrader.solution:
                secret = secret or cell.source.splitlines()
            public = re.sub(r"### BEGIN.*?### END[^\n]*", "", cell.source, flags=re.S)
            for line in filter(lambda line: len(line) > 24 and line not in public, secret):
                assert line not in edition[question].source, question
            assert not re.search(r"BEGIN|END|Rubric|MARK SCHEME", edition[question].source)
            if cell.metadata.nbgrader.grade and cell.metadata.nbgrader.solution:
                assert "answered yet" in edition[question].source
        assert "answered yet" in text


for _name in NAMES:  # a class for each, so that they run side by side
    globals()[f"Test_{_name}"] = type(f"Test_{_name}", (Grading,), {"name": _name})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A course with the first assignment, of which there is a student edition."""
    folder = tmp_path_factory.mktemp("home")
    shutil.copytree(ASSIGNMENTS / "source" / NAMES[0], folder / "source" / NAMES[0])
    shutil.copy(ASSIGNMENTS / "nbgrader_config.py", folder)
    course.release(folder, NAMES[0])
    return folder


@pytest.fixture
def edition(home):
    return read(course.notebook_of(home, "release", NAMES[0]))


def test_restoring(edition, tmp_path):
    path = tmp_path / "submission.ipynb"

    def complaints(notebook):
        nbformat.write(notebook, path)
        return list(course.prepare(path, edition))

    def known(notebook):
        return {n: (c.source, c.metadata.nbgrader) for n, c in course.known(notebook).items()}

    # neither Colab's format nor lost metadata with intact ids changes anything
    stripped = in_colab(edition)
    for cell in stripped.cells:
        cell.metadata.pop("nbgrader", None)
    for notebook in (edition, in_colab(edition), stripped):
        assert complaints(notebook) == []
        assert known(read(path)) == known(edition)
    # ids lost too: named, not graded
    for cell in stripped.cells:
        cell.metadata.clear()
        if cell.cell_type == "code":
            cell.source += "\n# changed"
    assert "has lost the metadata" in complaints(stripped)[0]
    # a package that is not here
    own = deepcopy(edition)
    own.cells.append(nbformat.v4.new_code_cell("!pip install wonder\nfrom wonder.land import cat"))
    assert complaints(own) == ["imports wonder, which is not installed here"]
    assert "pass  # !pip install wonder" in read(path).cells[-1].source
    # a copied cell: the first is graded, the second is the student's
    twice = deepcopy(edition)
    first = next(c for c in twice.cells if c.metadata.get("nbgrader", {}).get("solution"))
    copy = deepcopy(first)
    copy.id = "copy"
    twice.cells.insert(twice.cells.index(first) + 1, copy)
    assert complaints(twice) == [] and len(read(path).cells) == len(edition.cells) + 1
    path.write_text("{}")
    assert "cannot be read as a notebook" in next(iter(course.prepare(path, edition)))
    assert complaints(nbformat.v4.new_notebook()) == ["has no code cell"]


NAMES_OF_FILES = {
    "Jane Doe_11_assignsubmission_file_/a.ipynb": "11",
    "Ann-Marie O_Neil_12_assignsubmission_file_b.ipynb": "12",
    "Jo Li_13_assignsubmission_file/Copy of {}.ipynb": "13",
    "doejane_14_900_{}.ipynb": "14",
    "doejane_LATE_15_901_{}-2.ipynb": "15",
    "li-wei.chen.ipynb": "li-wei.chen",
    "{}.txt": None,
}


def test_students_are_found_in_names(home, edition, tmp_path):
    name = NAMES[0]
    folder = tmp_path / "download"
    for file in NAMES_OF_FILES:
        path = folder / file.format(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(edition, path)
    zipped = Path(shutil.make_archive(tmp_path / "submissions", "zip", folder))
    found = course.collect(home, name, zipped)
    assert set(found) == set(filter(None, NAMES_OF_FILES.values()))
    (folder / "my homework (1).ipynb").write_text("{}")
    with pytest.raises(SystemExit, match="do not tell the student"):
        course.collect(home, name, folder)


def test_nothing_is_graded_where_the_solution_fails(home, tmp_path):
    """As in an environment that lacks something the tests need."""
    shutil.copytree(home / "source", tmp_path / "source")
    shutil.copy(home / "nbgrader_config.py", tmp_path)
    path = course.notebook_of(tmp_path, "source", NAMES[0])
    notebook = read(path)
    notebook.cells[1].source = "import wonder\n" + notebook.cells[1].source
    nbformat.write(notebook, path)
    with pytest.raises(SystemExit, match="nothing was graded"):
        course.grade(tmp_path, NAMES[0], tmp_path)
    assert not (tmp_path / "gradebook.db").exists()
