"""Several processes compute what one does, and a run that loses one goes on from its checkpoint."""

import re
import runpy
import shlex
import shutil
import subprocess
import sys

import distributed_worker as worker
import pytest
import torch
from project import ROOT

from spectral_ssl import distributed

CPU = torch.device("cpu")
LIBRARY = (ROOT / "book" / "library.md").read_text()


def torchrun(n, *arguments, cwd=None):
    """Exit code and output of a program on n processes; all of them end with it."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    with subprocess.Popen(
        [*command, "--nproc_per_node", str(n), *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd,
    ) as process:
        try:
            output = process.communicate(timeout=180)[0]
        except subprocess.TimeoutExpired:
            process.terminate()  # torchrun ends its processes then
            pytest.fail(f"no end in sight\n{process.communicate()[0]}")
    return process.returncode, output


def work(n, task, folder, *step):
    return torchrun(n, worker.__file__, task, folder, *step)


def results(n, folder):
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(n)]


def finished(n, task, folder):
    code, output = work(n, task, folder)
    assert code == 0, output
    return results(n, folder)


def gap(value, reference):
    """Relative to the largest entry; of dicts the largest."""
    if isinstance(reference, dict):
        return max(gap(value[name], reference[name]) for name in reference)
    return ((value - reference).abs().max() / reference.abs().max()).item()


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {n: tmp_path_factory.mktemp(f"processes{n}") for n in (1, 2, 4)}


@pytest.fixture(scope="module")
def alone(folders):
    """What one process without a group computes."""
    return worker.numbers(CPU, folders[1])


@pytest.fixture(scope="module")
def waiting(folders):
    """Exit code and output of two processes, of which one waits for the other in the end."""
    return work(2, "wait", folders[2])


@pytest.fixture(scope="module")
def two(waiting, folders):
    """What each of two processes computes."""
    return results(2, folders[2])


@pytest.fixture(scope="module")
def four(folders):
    """What each of four processes computes."""
    return finished(4, "cpu", folders[4])


@pytest.fixture(params=["two", "four"])
def ranks(request):
    return request.getfixturevalue(request.param)


def check_numbers(ranks, alone, rounding=1e-13):
    for own in ranks:
        assert gap(own["gradients"], alone["gradients"]) < rounding
        assert gap(own["few"], alone["few"]) < rounding
        assert gap(own["head"], alone["head"]) < rounding
        assert own["labels"].tolist() == list(range(10))
        assert torch.equal(own["merged"][0], alone["merged"][0]) and own["merged"][1] == 10
        check_fit(own["fit"], alone["fit"], rounding)


def check_fit(own, alone, rounding=1e-13):
    assert gap(own["history"], alone["history"]) < 10 * rounding
    # The gradient of the last bias is 0 but for rounding, which Adam magnifies.
    assert gap(own["embedding"], alone["embedding"]) < 1e5 * rounding
    assert gap(own["gradient_norm"], alone["gradient_norm"]) < 1e3 * rounding


def test_several_processes_compute_what_one_does(ranks, alone):
    check_numbers(ranks, alone)
    for own in ranks[1:]:
        assert all(torch.equal(own["fit"][key], ranks[0]["fit"][key]) for key in own["fit"])


def test_data_parallel_modules_get_the_same_gradients(ranks, alone):
    assert all(gap(own["ddp"], alone["gradients"]) < 1e-13 for own in ranks)


def test_means_of_the_losses_of_parts_have_other_gradients(ranks, alone):
    for name in worker.LOSSES:
        assert gap(ranks[0]["parts"][name], alone["gradients"][name]) > 0.01


def test_shares_differ_by_at_most_one(ranks):
    assert [own["place"][:2] for own in ranks] == [[r, len(ranks)] for r in range(len(ranks))]
    for index, n in ((2, 10), (3, 2)):
        shares = [list(range(n))[own["place"][index]] for own in ranks]
        assert sum(shares, []) == list(range(n))
        assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_gradients_are_averaged_in_one_reduction_and_missing_ones_count_as_zero(ranks):
    for own in ranks:
        assert own["lacking"] == [[12 / len(ranks)] * 2, None]
        assert own["all_reduces"] == 1


def test_broadcast_sends_the_value_of_its_source(ranks):
    assert all(own["broadcast"] == [len(ranks) - 1] for own in ranks)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("shard", "n=0 is out of range"),
        ("gather", "Z must be a tensor with one sample a row, got 'rows'"),
        ("gather shapes", "rows differ between processes; on process . a row is "),
        ("gather dtypes", "rows differ between processes; on process . a row is "),
        ("average_gradients", "module must be a torch.nn.Module, got Tensor"),
        ("broadcast", "source=. is out of range"),
        ("merge", r"statistics has no merge\(\); got list"),
        ("check_same", "the processes differ in rank, rows; load and seed alike"),
        ("fit network", "the processes differ in network; load and seed alike"),
        ("fit generator", "the processes differ in generator; load and seed alike"),
        ("fit options", "the processes differ in options; load and seed alike"),
        ("fit batch", "batch_size=1 is out of range: there are . processes"),
    ],
)
def test_every_process_refuses_bad_input(ranks, name, message):
    assert all(re.match(message, own["refusals"][name]) for own in ranks)


def test_a_run_may_go_on_with_another_number_of_processes(ranks, folders, alone, tmp_path):
    shutil.copy(folders[len(ranks)] / "fit.pt", tmp_path / "fit.pt")
    assert len(torch.load(tmp_path / "fit.pt")["history"]) == 20
    check_fit(worker.numbers(CPU, tmp_path)["fit"], alone["fit"])


def test_a_group_of_one(alone, tmp_path, monkeypatch):
    where = {"RANK": "0", "WORLD_SIZE": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "0"}
    for name, value in where.items():
        monkeypatch.setenv(name, value)
    with distributed.process_group(device="cpu") as device:
        assert torch.distributed.is_initialized() and distributed.world_size() == 1
        with distributed.process_group(device="cpu"):
            pass
        check_numbers([worker.numbers(device, tmp_path)], alone)
    assert not torch.distributed.is_initialized()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "tpu"}, "device must be one of"),
        ({"timeout": 0}, "timeout must be a .* positive"),
    ],
)
def test_process_group_refuses_bad_options(options, message):
    with pytest.raises(ValueError, match=message), distributed.process_group(**options):
        pass


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("LOCAL_RANK", str(torch.cuda.device_count()))
    with pytest.raises(ValueError, match="no GPU of its own"):
        with distributed.process_group(device="cuda"):
            pass


def root_cause(output):
    """What torchrun's summary says about the first process that failed."""
    assert "Root Cause (first observed failure)" in output, output
    return output.split("Root Cause (first observed failure)")[1]


def test_a_process_that_waits_in_vain_ends_the_job(waiting):
    code, output = waiting
    assert code != 0
    assert re.search("time(d )?out", root_cause(output), re.IGNORECASE)


def test_a_run_that_lost_a_process_goes_on_when_started_again(two, tmp_path):
    code, output = work(2, "train", tmp_path, 10)
    assert code != 0
    assert re.search(rf"rank +: 1 .*\n +exitcode +: {worker.EXIT_CODE} ", root_cause(output))
    assert len(torch.load(tmp_path / "run.pt")["history"]) == 8
    for own, whole in zip(finished(2, "train", tmp_path), two):
        assert all(torch.equal(own[key], whole["random"][key]) for key in own)


def test_the_documented_program_runs_alone_and_on_two_processes(tmp_path, monkeypatch, capsys):
    (program,) = re.findall(r"```python\n(.*?)```", LIBRARY, re.S)
    (command,) = re.findall(r"^ +(torchrun .*)$", LIBRARY, re.M)
    assert shlex.split(command)[1:-1] == ["--standalone", "--nproc_per_node", "2"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # of torchrun's processes
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (tmp_path / "train.py").write_text(program)
    runpy.run_path("train.py")
    alone = capsys.readouterr().out
    assert re.fullmatch(r"loss \d+\.\d+\n", alone)
    (tmp_path / "run.pt").unlink()
    code, output = torchrun(2, shlex.split(command)[-1], cwd=tmp_path)
    assert code == 0 and output.count(alone) == 1, output


@pytest.mark.gpu
def test_processes_on_gpus_compute_what_one_does(tmp_path):
    n = min(torch.cuda.device_count(), 4)
    ranks = finished(n, "gpu", tmp_path)
    (tmp_path / "fit.pt").unlink()
    check_numbers(ranks, worker.numbers(torch.device("cuda"), tmp_path), rounding=1e-11)
