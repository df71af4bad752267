"""The course: student editions, instructors' solutions, and grades.

    python tools/course.py release
    python tools/course.py solutions
    python tools/course.py grade --name NAME --submissions FOLDER
    python tools/course.py grade --name NAME       after grading by hand: table and feedback

All happens in assignments/, whose settings are in nbgrader_config.py. Before the first
submission is graded, the instructor's own solution has to earn full marks in this
environment, and every submission must have what grading needs. What does not is
named, and nothing is graded until it is put right or --anyway is given.
"""

import argparse
import ast
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ["nbgrader", "ipykernel", "spectral_ssl", "numpy", "scipy", "sklearn", "torch", "matplotlib"]
MARKERS = ("BEGIN SOLUTION", "BEGIN HIDDEN TESTS", "BEGIN MARK SCHEME")
INSTALLS = re.compile(r"^(\s*)([%!]\s*(?:pip3?|conda|mamba|uv|apt(?:-get)?)\b.*)$", re.M)
GONE = "This cell was missing."

# nbgrader starts alembic, which stands beside this Python.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def masters(course):
    """Names of the assignments."""
    return sorted(path.parent.name for path in course.glob("source/*/*.ipynb"))


def notebook_of(course, kind, name, student=""):
    return course / kind / student / name / f"{name}.ipynb"


def nbgrader(course, *arguments, gib=4):
    """Run nbgrader in the course's folder, with kernels that are limited, and return its log."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder, "kernels", "python3", "kernel.json")
        spec.parent.mkdir(parents=True)
        kernel = [sys.executable, str(ROOT / "tools" / "limited_kernel.py"), str(gib)]
        argv = [*kernel, "-f", "{connection_file}"]
        spec.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
        paths = [folder, os.environ.get("JUPYTER_PATH", "")]
        environment = os.environ | {
            "JUPYTER_PATH": os.pathsep.join(filter(None, paths)),
            "TQDM_DISABLE": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "nbgrader", *map(str, arguments)],
            cwd=course, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
    return done.returncode, done.stdout


def must(course, *arguments):
    """Run nbgrader and return its log, or stop with it."""
    code, log = nbgrader(course, *arguments)
    if code:
        sys.exit(f"nbgrader {' '.join(map(str, arguments))} failed:\n{log}")
    return log


def release(course, name):
    """Write the student edition of an assignment and return its path."""
    must(course, "generate_assignment", name, "--force", "--create")
    path = notebook_of(course, "release", name)
    text = path.read_text(encoding="utf-8")
    left = [marker for marker in MARKERS if marker in text]
    if left:
        sys.exit(f"The student edition of {name} still has {', '.join(left)}.")
    return path


def solutions(course, name):
    """Render the master as a page for instructors and return its path."""
    source, folder = notebook_of(course, "source", name), course / "solutions"
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--log-level", "ERROR"]
    subprocess.run([*command, "--output-dir", folder, source], check=True)
    return folder / f"{name}.html"


def known(release_edition):
    """The cells of the student edition that grading knows, by name and in order."""
    cells = (cell for cell in release_edition.cells if "nbgrader" in cell.metadata)
    return {cell.metadata.nbgrader["grade_id"]: cell for cell in cells}


def name_of(cell, names, by_id, by_text):
    """The name under which grading knows a cell, or None."""
    name = cell.metadata.get("nbgrader", {}).get("grade_id")
    if name in names:
        return name
    for key in (cell.get("id"), cell.metadata.get("id")):
        if key in by_id:
            return by_id[key]
    return by_text.get(cell.source.strip())


def restored(submission, release_edition):
    """The submission with all cells that grading needs, and the names of those that had gone.

    A cell is recognised by its metadata, by its id (which Colab moves into the metadata), or
    by its text if that is not the student's to change. Locked cells get their text back.
    Of several copies the first is the one graded; the others run as cells of the student's.
    A deleted answer comes back without code, so that a function defined elsewhere counts.
    """
    wanted = known(release_edition)
    by_id = {cell.id: name for name, cell in wanted.items()}
    locked = {name for name, cell in wanted.items() if cell.metadata.nbgrader["locked"]}
    by_text = {wanted[name].source.strip(): name for name in locked}
    cells, place = [], {}
    for cell in submission.cells:
        name = name_of(cell, wanted, by_id, by_text)
        if name and name not in place:
            new = place[name] = deepcopy(wanted[name])
            if name not in locked:
                new.source = cell.source
        else:
            new = deepcopy(cell)
            new.metadata.pop("nbgrader", None)
            new.pop("id", None)
        if new.cell_type == "code" and name not in locked:
            new.source = INSTALLS.sub(r"\1pass  # \2", new.source)
        cells.append(new)
    gone, at = [], 0
    for name, cell in wanted.items():
        if name not in place:
            gone.append(name)
            new = place[name] = deepcopy(cell)
            if name not in locked:
                new.source = f"# {GONE}" if cell.cell_type == "code" else f"*{GONE}*"
            cells.insert(at, new)
        at = next(i for i, cell in enumerate(cells) if cell is place[name]) + 1
    for number, cell in enumerate(cells):
        cell.setdefault("id", f"own-{number}")
    return nbformat.v4.new_notebook(cells=cells, metadata=release_edition.metadata), gone


def missing_packages(notebook):
    """Packages that a notebook imports and this environment lacks."""
    wanted = set()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            try:
                tree = ast.parse(re.sub(r"^(\s*)[%!]", r"\1pass # ", cell.source, flags=re.M))
            except SyntaxError:
                continue
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    wanted |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    wanted.add(node.module.partition(".")[0])
    return sorted(package for package in wanted if find_spec(package) is None)


def prepare(path, release_edition):
    """Restore a collected notebook in place; yield what stands in the way of grading it."""
    try:
        submission = nbformat.read(path, as_version=4)
        new, gone = restored(submission, release_edition)
    except Exception as error:  # whatever a student can upload under this name
        yield f"cannot be read as a notebook ({type(error).__name__}: {error})"
        return
    if not any(cell.cell_type == "code" for cell in submission.cells):
        yield "has no code cell"
    elif len(gone) > len(known(release_edition)) // 2:
        yield "has lost the metadata of its cells, or is another notebook"
    else:
        nbformat.write(new, path)
        for package in missing_packages(new):
            yield f"imports {package}, which is not installed here"


def collect(course, name, submissions):
    """Sort what students handed in into submitted/ and return the paths by student."""
    for folder in (course / "downloaded" / name, *course.glob(f"submitted/*/{name}")):
        shutil.rmtree(folder, ignore_errors=True)
    archive = course / "downloaded" / name / "archive"
    if submissions.is_dir():
        shutil.copytree(submissions, archive)
    else:
        archive.mkdir(parents=True)
        shutil.copy(submissions, archive)
    log = must(course, "zip_collect", name, "--force")
    nameless = re.findall(r"no match information provided: (.*\.ipynb)$", log, re.M)
    if nameless:
        sys.exit("These names do not tell the student:\n" + "\n".join(nameless))
    found = {path.parts[-3]: path for path in course.glob(f"submitted/*/{name}/{name}.ipynb")}
    if not found:
        sys.exit(f"{submissions} has no notebook whose name tells its student.")
    handed_in = sum(1 for _ in course.glob(f"downloaded/{name}/extracted/**/*.ipynb"))
    if handed_in != len(found):
        print(f"{handed_in} notebooks of {len(found)} students: one each is graded, the last by name.")
    return found


def autograde(course, name, gib):
    """Grade what is in submitted/ and return the log."""
    return nbgrader(course, "autograde", name, "--force", gib=gib)[1]


def grades(course, name):
    """By student: of each question the score, the possible score and whether it is graded by hand
    at all; and whether anything waits for that."""
    from nbgrader.api import Gradebook

    rows = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        for submission in book.assignment_submissions(name):
            if not notebook_of(course, "autograded", name, submission.student.id).exists():
                continue  # the kernel died: no mark, which is not a mark of zero
            scores = {}
            for notebook in submission.notebooks:
                answers = {cell.name for cell in notebook.notebook.solution_cells}
                for grade in notebook.grades:
                    scores[grade.name] = (grade.score, grade.max_score, grade.name in answers)
            rows[submission.student.id] = (scores, submission.needs_manual_grade)
    return rows


def check_environment(course, name, gib):
    """Stop unless the instructor's own solution earns full marks in this environment."""
    missing = [package for package in NEEDED if find_spec(package) is None]
    if missing:
        sys.exit(f"Not installed here: {', '.join(missing)}. Nothing was graded.")
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder, "course")
        shutil.copytree(course / "source" / name, trial / "source" / name)
        shutil.copy(course / "nbgrader_config.py", trial)
        edition = nbformat.read(release(trial, name), as_version=4)
        path = notebook_of(trial, "submitted", name, "solution")
        path.parent.mkdir(parents=True)
        shutil.copy(notebook_of(trial, "source", name), path)
        complaints = list(prepare(path, edition))
        log = autograde(trial, name, gib)
        scores, _ = grades(trial, name).get("solution", ({}, None))
    lost = [question for question, (score, most, by_hand) in scores.items()
            if score != most and not by_hand]
    if complaints or lost or not scores:
        why = "\n".join(complaints or lost or [log])
        sys.exit(
            "In this environment the instructor's own solution does not earn full marks, so "
            f"nothing was graded. Look at:\n{why}"
        )
    points = sum(most for _, most, _ in scores.values())
    if points != 100:
        sys.exit(f"{name} has {points:g} points, not 100.")
    print(f"The instructor's solution of {name} earns full marks here.", flush=True)


def export(course, name):
    """Write the grades as a table, and feedback as a page for each student."""
    rows = grades(course, name)
    questions = list(dict.fromkeys(q for scores, _ in rows.values() for q in scores))
    path = course / "grades" / f"{name}.csv"
    path.parent.mkdir(exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["student", "score", "max_score", "to_grade_by_hand", *questions])
        for student, (scores, by_hand) in sorted(rows.items()):
            score, most = (sum(values[k] for values in scores.values()) for k in (0, 1))
            row = [scores[q][0] if q in scores else "" for q in questions]
            table.writerow([student, score, most, "yes" if by_hand else "no", *row])
    must(course, "generate_feedback", name, "--force")
    print(f"{path}\n{course / 'feedback'}")
    return path


def grade(course, name, submissions, anyway=False, gib=4.0):
    """Collect, check, grade, export; return the number of notebooks that were not graded."""
    check_environment(course, name, gib)
    edition = nbformat.read(release(course, name), as_version=4)
    found = collect(course, name, submissions)
    obstacles = {student: list(prepare(path, edition)) for student, path in found.items()}
    for student, complaints in obstacles.items():
        for complaint in complaints:
            print(f"{student}: {complaint}", flush=True)
    if any(obstacles.values()) and not anyway:
        sys.exit("Nothing was graded. Put this right in the submissions, or add ANYWAY=1.")
    unread = [s for s, why in obstacles.items() if why and not why[0].startswith("imports")]
    for student in unread:
        shutil.rmtree(found.pop(student).parent)
    log = autograde(course, name, gib)
    failed = [s for s in found if not notebook_of(course, "autograded", name, s).exists()]
    export(course, name)
    if failed:
        (course / "grades" / f"{name}.log").write_text(log, encoding="utf-8")
        print(f"Not graded, because the kernel died: {', '.join(sorted(failed))}. They have no "
              f"mark. The log is grades/{name}.log.")
    if unread:
        print(f"Not graded, because they cannot be read: {', '.join(sorted(unread))}.")
    return len(failed) + len(unread)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["release", "solutions", "grade"])
    parser.add_argument("--name", help="the assignment")
    parser.add_argument("--submissions", type=Path, help="a folder or a zip file")
    parser.add_argument("--course", type=Path, default=ROOT / "assignments")
    parser.add_argument("--anyway", action="store_true", help="leave out what cannot be graded")
    parser.add_argument("--memory", type=float, default=4.0, help="GiB that a notebook may use")
    given = parser.parse_args(arguments)
    course, names = given.course.resolve(), masters(given.course)
    if given.name and given.name not in names:
        sys.exit(f"There is no assignment {given.name}, only {', '.join(names)}.")
    if given.what == "grade" and not given.name and len(names) == 1:
        given.name = names[0]
    if given.what != "grade":
        do = {"release": release, "solutions": solutions}[given.what]
        for name in [given.name] if given.name else names:
            print(do(course, name), flush=True)
    elif not given.name:
        sys.exit(f"Name the assignment: NAME={' or NAME='.join(names)}.")
    elif not given.submissions:
        if not (course / "gradebook.db").exists():
            sys.exit("Nothing was graded yet. Say what came in: SUBMISSIONS=folder.")
        export(course, given.name)
    elif not given.submissions.exists():
        sys.exit(f"There is no {given.submissions}.")
    else:
        sys.exit(bool(grade(course, given.name, given.submissions.resolve(), given.anyway, given.memory)))


if __name__ == "__main__":
    main()
