"""The course's settings: nbgrader reads them when it runs in this folder."""

import os
import re
from pathlib import Path

from nbgrader.plugins import FileNameCollectorPlugin

# Canvas: doejane_LATE_123_456_01_toolbox-1.ipynb
# Moodle: Jane Doe_123_assignsubmission_file_/01_toolbox.ipynb, with or without the folder
CANVAS = re.compile(r"[^/_]+_(?:LATE_)?(?P<student>\d+)_(?P<attempt>\d+)_[^/]+\.ipynb$")
MOODLE = re.compile(r"[^/]*_(?P<student>\d+)_assignsubmission_file_?(?:/.*|[^/]*)\.ipynb$")
# a file named after its student
PLAIN = re.compile(r"(?P<student>[\w.-]+)\.ipynb$")


class Collector(FileNameCollectorPlugin):
    """Finds the student in a name given by Moodle, Canvas or a person.

    An assignment is one notebook, so it is recognised under whatever name a student gave it.
    """

    def collect(self, submitted_file):
        path = Path(submitted_file)
        assignment, after = re.search(r"downloaded/([^/]+)/extracted/(.*)", path.as_posix()).groups()
        if path.suffix != ".ipynb":
            return None
        for pattern in MOODLE, CANVAS:
            found = pattern.search(after)
            if found:
                break
        else:
            found = PLAIN.fullmatch(path.name)
        return found and {"student_id": found["student"], "file_id": assignment}


c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "spectral-ssl"
c.ClearSolutions.code_stub = {
    "python": 'raise NotImplementedError("not answered yet: write your code here")'
}
c.ClearSolutions.text_stub = "*Not answered yet: write your answer here.*"
c.ZipCollectApp.collector_plugin = Collector

# A warning or a progress bar in the answer to a test costs no points.
c.IgnorePattern.enabled = True
c.IgnorePattern.pattern = r"\s|\S"

seconds = int(os.environ.get("SECONDS_PER_CELL", "120"))
c.Execute.timeout = seconds
c.Execute.error_on_timeout = {
    "ename": "CellTimeoutError",
    "evalue": f"the cell ran for more than {seconds} seconds",
    "traceback": [f"CellTimeoutError: the cell ran for more than {seconds} seconds"],
}
