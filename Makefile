# make book: set up and render the book.   make test: set up and run all tests.

PYTHON ?= python3
NB ?= $(sort $(wildcard chapters/*.ipynb))

BIN := .venv/bin
READY := .venv/.ready
export OMP_NUM_THREADS ?= 1
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help book test execute bench serve assignments grade repository clean

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

book: $(READY)  ## render the book and say where to open it
	@$(BIN)/python tools/build_book.py

test: $(READY)  ## run all tests, and every notebook against its committed outputs
	@echo "Running the tests ..."
	@$(BIN)/python -m pytest -n logical --dist loadscope \
		--nbval --nbval-current-env --nbval-cell-timeout=120

execute: $(READY)  ## run notebooks in place: make execute [NB=chapters/NN_name.ipynb]
	@$(BIN)/python tools/execute.py $(NB)

bench: $(READY)  ## compare time and memory with other libraries: make bench [CASE="..."]
	@$(BIN)/python benchmarks/run.py $(if $(CASE),"$(CASE)")

assignments: $(READY)  ## write the assignments' student editions, and solutions for instructors
	@$(BIN)/python tools/course.py release
	@$(BIN)/python tools/course.py solutions

grade: $(READY)  ## grade what came in: make grade NAME=01_toolbox SUBMISSIONS=folder
	@$(BIN)/python tools/course.py grade $(if $(NAME),--name "$(NAME)") \
		$(if $(SUBMISSIONS),--submissions "$(SUBMISSIONS)") $(if $(ANYWAY),--anyway) \
		$(if $(MEMORY),--memory "$(MEMORY)")

serve: book  ## show the book at http://127.0.0.1:8000
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

repository:  ## move to another address: make repository URL=https://github.com/OWNER/NAME
	@$(PYTHON) tools/set_repository.py "$(URL)"

clean:  ## remove the rendered book and the environment
	rm -rf .venv _build .pytest_cache .hypothesis

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, and $(PYTHON) is not." \
		"Name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "Setting up the environment in .venv (once, a minute or two) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq -c constraints.txt pip
	@$(BIN)/python -m pip install -qq --no-compile -c constraints.txt -e ".[book,test,course,bench]"
	@# lightly's losses serve as referees; they need none of its requirements, torchvision among them.
	@$(BIN)/python -m pip install -qq --no-compile --no-deps -c constraints.txt lightly
	@touch $@
