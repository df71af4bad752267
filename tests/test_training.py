"""Training reaches known optima, reports where it stands, and leaves no trace in notebooks."""

import os
import subprocess
import sys

import pytest
import torch

from spectral_ssl import agreement, closed_form, losses, pair_losses, relations, training

TARGET = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], dtype=torch.float64)


def quadratic(Z):
    return ((Z - TARGET) ** 2).sum()


def gaussian(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_fit_embedding_minimises():
    fit = training.fit_embedding(quadratic, 3, 2)
    torch.testing.assert_close(fit.embedding, TARGET)
    assert fit.loss < 1e-16 and fit.gradient_norm < 1e-9
    assert fit.history[0] > 1 and fit.history[-1] == fit.loss
    assert not fit.embedding.requires_grad


@pytest.mark.parametrize("gamma", [0.2, 1.0, 20.0])
def test_fit_embedding_reaches_the_closed_form(gamma):
    G = relations.nearest_neighbors(gaussian(50, 2), 5)
    fit = training.fit_embedding(lambda Z: losses.vicreg(Z, G, invariance=gamma), 50, 3)
    result = agreement.compare(fit, closed_form.vicreg(G, 3, invariance=gamma))
    assert result.loss_gap < 1e-8 and result.gram_error < 1e-5


@pytest.mark.parametrize("gamma", [0.2, 1.0])
def test_fit_linear_reaches_the_closed_form(gamma):
    X = gaussian(50, 6)
    G = relations.nearest_neighbors(X[:, :2], 5)
    fit = training.fit_linear(lambda Z: losses.vicreg(Z, G, invariance=gamma), X, 2)
    result = agreement.compare(fit, closed_form.vicreg_linear(X, G, 2, invariance=gamma))
    assert result.loss_gap < 1e-8 and result.gram_error < 1e-5
    torch.testing.assert_close(X @ fit.weights, fit.embedding)


def test_fit_network_approaches_the_free_optimum():
    X = gaussian(30, 4)
    G = relations.nearest_neighbors(X, 5).to_dense()
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(4, 256), torch.nn.ReLU(), torch.nn.Linear(256, 2)
    )
    fit = training.fit_network(lambda Z: losses.vicreg(Z, G), network, X)
    exact = closed_form.vicreg(G, 2).loss
    assert exact - 1e-6 < fit.loss < 1.02 * exact
    assert fit.network is network and fit.history[0] > 2 * fit.loss
    assert fit.embedding.dtype == torch.float32


def test_same_generator_same_result():
    G = relations.from_views(4, 2)

    def run(seed):
        generator = torch.Generator().manual_seed(seed)
        return training.fit_embedding(
            lambda Z: losses.vicreg(Z, G), 8, 2, generator=generator
        ).embedding

    assert torch.equal(run(3), run(3))
    assert not torch.allclose(run(3), run(4))


def test_training_does_not_touch_the_global_generator_or_the_start():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    start = TARGET + 1
    training.fit_embedding(quadratic, 3, 2)
    training.fit_embedding(quadratic, 3, 2, initial=start)
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(start, TARGET + 1)


def test_start_at_the_optimum_stays_there():
    fit = training.fit_embedding(quadratic, 3, 2, initial=TARGET)
    assert torch.equal(fit.embedding, TARGET) and fit.gradient_norm == 0


def test_too_few_iterations_warn():
    G = relations.nearest_neighbors(gaussian(300, 2), 5)
    with pytest.warns(training.ConvergenceWarning, match="raise max_iterations"):
        training.fit_embedding(
            lambda Z: losses.vicreg(Z, G, invariance=0.1), 300, 3, max_iterations=1
        )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: training.fit_embedding(quadratic, 3, 0), "n_components=0"),
        (lambda: training.fit_embedding(quadratic, 3, 2, initial=torch.ones(2, 3)), "initial must"),
        (lambda: training.fit_embedding(lambda Z: Z, 3, 2), "one finite number"),
        (lambda: training.fit_embedding(lambda Z: (Z * torch.nan).sum(), 3, 2), "one finite"),
        (lambda: training.fit_linear(quadratic, torch.ones(3), 2), "one sample a row"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


SLOW = """
import time
from spectral_ssl import training
def slow(Z):
    time.sleep(0.2)
    return ((Z ** 4).sum(dim=1) * (1 + Z[:, 0] ** 2)).sum()
training.fit_embedding(slow, 300, 3, max_iterations=10, tolerance=1e-30)
"""


def stderr_of_slow_training(**environment):
    kept = {key: value for key, value in os.environ.items() if key != "TQDM_DISABLE"}
    command = [sys.executable, "-W", "ignore", "-c", SLOW]
    done = subprocess.run(command, capture_output=True, text=True, env=kept | environment)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_progress_bar_shows_on_slow_runs_and_can_be_kept_out_of_outputs():
    assert "L-BFGS" in stderr_of_slow_training()
    assert stderr_of_slow_training(TQDM_DISABLE="1") == ""


def noisy(batch, generator):
    return batch + 0.1 * torch.randn(batch.shape, generator=generator, dtype=batch.dtype)


def small_network():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(5, 16), torch.nn.BatchNorm1d(16), torch.nn.ReLU(), torch.nn.Dropout(0.1),
        torch.nn.Linear(16, 3),
    ).double()


def fit_small(loss=pair_losses.vicreg, **options):
    generator = torch.Generator().manual_seed(1)
    options = {"steps": 30, "batch_size": 16, "generator": generator, **options}
    return training.fit_views(loss, small_network(), gaussian(50, 5), noisy, **options)


def test_fit_views_lowers_the_loss_and_embeds_the_sources():
    fit = fit_small(steps=200, learning_rate=1e-2)
    assert len(fit.history) == 200 and fit.loss == fit.history[-1]
    assert sum(fit.history[-20:]) < 0.8 * sum(fit.history[:20])
    torch.testing.assert_close(fit.embedding, fit.network.eval()(gaussian(50, 5)).detach())


def test_fit_views_draws_every_source_once_an_epoch():
    seen = []

    def view(batch, generator):
        seen.append(batch[:, 0].clone())
        return noisy(batch, generator)

    training.fit_views(
        pair_losses.vicreg, small_network(), gaussian(48, 5), view, steps=6, batch_size=16
    )
    for epoch in (seen[:6], seen[6:]):
        assert all((a == b).all() for a, b in zip(epoch[::2], epoch[1::2]))   # two views of each
        assert len(torch.cat(epoch[::2]).unique()) == 48


class Crash(Exception):
    pass


def test_an_interrupted_run_goes_on_and_ends_as_if_it_had_not_been(tmp_path):
    whole = fit_small()

    def until(step):
        calls = iter(range(1000))

        def loss(Za, Zb):
            if next(calls) == step:
                raise Crash
            return pair_losses.vicreg(Za, Zb)

        return loss

    options = {"checkpoint": tmp_path / "run.pt", "checkpoint_every": 4}
    for step in (10, 9):                 # stops in step 11, starts again from 8, stops in 17
        with pytest.raises(Crash):
            fit_small(until(step), **options)
    resumed = fit_small(**options)
    assert resumed.history == whole.history
    assert torch.equal(resumed.embedding, whole.embedding)
    finished = fit_small(**options | {"checkpoint_every": 30})
    assert finished.history == whole.history


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"batch_size": 51}, "batch_size=51 is out of range: there are 50 sources"),
        ({"steps": 0}, "steps=0"),
        ({"learning_rate": 0}, "learning_rate must be .* positive"),
        ({"loss": lambda Za, Zb: Za.sum() / 0}, "loss must return one finite number"),
    ],
)
def test_fit_views_refuses_bad_options(change, message):
    with pytest.raises(ValueError, match=message):
        fit_small(**change)


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    fit_small(checkpoint=tmp_path / "run.pt", checkpoint_every=10)
    with pytest.raises(ValueError, match="is of a run of 30 steps, not 40"):
        fit_small(checkpoint=tmp_path / "run.pt", steps=40)
