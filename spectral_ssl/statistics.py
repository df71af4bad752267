"""Serves chapter 14: what linear optima need to know of samples, gathered batch by batch."""

import numpy as np
import torch

from spectral_ssl._validation import check_integer, check_samples

__all__ = ["ClassStatistics", "ViewStatistics"]


# Rows of which differences are taken at a time: few enough to stay in a processor's cache.
_ROWS = 1024


class _Statistics:
    """Mean and scatter of samples in blocks, of which each relates to all of its own block."""

    def __init__(self, n_features):
        self.n_features = check_integer(n_features, "n_features")

    @property
    def scatter(self):
        r"""Total scatter :math:`X^\top H X`, of shape (D, D)."""
        return self.between + self.within

    def merge(self, other):
        """The statistics of the samples of both.

        Parameters
        ----------
        other : statistics of the same kind

        Returns
        -------
        New statistics; neither of the two changes.

        Raises
        ------
        ValueError
            If the kinds or the numbers of features differ.
        """
        if type(other) is not type(self) or other.n_features != self.n_features:
            raise ValueError(
                f"other is {other!r}, which does not fit {self!r}; merge statistics of one kind "
                "and of the same features"
            )
        merged = self.from_state_dict(self.state_dict())
        if other.n_samples:
            merged._add(**{name: getattr(other, name) for name in self._KEPT})
        return merged

    def state_dict(self):
        """Everything that is known, as a dictionary of numbers and tensors."""
        return {"n_features": self.n_features} | {
            name: value.clone() if torch.is_tensor(value) else value
            for name, value in ((name, getattr(self, name)) for name in self._KEPT)
        }

    @classmethod
    def from_state_dict(cls, state):
        """Statistics with the state that :meth:`state_dict` returned."""
        statistics = cls(state["n_features"])
        for name in cls._KEPT:
            value = state[name]
            setattr(statistics, name, value.clone() if torch.is_tensor(value) else value)
        return statistics

    def __repr__(self):
        return f"{type(self).__name__}({self.n_samples} samples of {self.n_features} features)"

    def _check_batch(self, X, name):
        X = check_samples(X, name, min_samples=1)
        if X.shape[1] != self.n_features:
            raise ValueError(
                f"{name} has {X.shape[1]} columns but these statistics are of "
                f"{self.n_features} features"
            )
        return X.detach().double()


class ViewStatistics(_Statistics):
    r"""Statistics of views, the views of one source being each other's positives.

    With the means :math:`m_s` of the views of each source and :math:`G` the graph of
    :func:`spectral_ssl.relations.from_views`, it keeps the mean :math:`m` of all samples and

    .. math::

        \text{within} = \sum_s \sum_{i \in s} (x_i - m_s)(x_i - m_s)^\top = X^\top L X, \qquad
        \text{between} = V \sum_s (m_s - m)(m_s - m)^\top ,

    whose sum is :math:`X^\top H X`. Both are sums of squares about means, updated as by Chan,
    Golub & LeVeque (1983), so that a large common offset of the samples costs no digits.

    Parameters
    ----------
    n_features : int
        Number of columns :math:`D`.

    Attributes
    ----------
    n_views, n_blocks : int
        Number of views of each source, 0 before the first batch, and of sources.
    mean : Tensor of shape (D,)
    within, between, scatter : Tensors of shape (D, D), float64

    References
    ----------
    Chan, Golub & LeVeque (1983), *Algorithms for computing the sample variance*.
    """

    _KEPT = ("n_views", "n_blocks", "mean", "within", "between")

    def __init__(self, n_features):
        super().__init__(n_features)
        self.n_views = self.n_blocks = 0
        self.mean = torch.zeros(n_features, dtype=torch.float64)
        self.within = torch.zeros(n_features, n_features, dtype=torch.float64)
        self.between = self.within.clone()

    @property
    def n_samples(self):
        """Number of views seen."""
        return self.n_views * self.n_blocks

    def update(self, *views):
        """Add a batch of sources.

        Parameters
        ----------
        *views : Tensors of shape (n, D)
            The first view of each source, the second, and so on, row by row; at least two, and
            as many in every batch. Only :math:`D \\times D` matrices are kept of them.

        Returns
        -------
        ViewStatistics
            The same object.

        Raises
        ------
        ValueError
            If the views are not finite matrices of the same shape, or their number changes.
        """
        views = [self._check_batch(X, f"view {i}") for i, X in enumerate(views)]
        n_views = len(views)
        if n_views < 2 or len({len(X) for X in views}) != 1:
            raise ValueError(
                f"update got {n_views} view(s) of {[len(X) for X in views]} rows; give at least "
                "two views of the same sources"
            )
        mean = sum(X.mean(dim=0) for X in views) / n_views
        within, between = mean.new_zeros(2, self.n_features, self.n_features)
        # two views deviate equally from their mean, so one of them tells for both
        deviating = 1 if n_views == 2 else n_views
        for rows in zip(*(X.split(_ROWS) for X in views), strict=True):
            means = sum(rows) / n_views
            for X in rows[:deviating]:
                deviation = X - means
                within.addmm_(deviation.T, deviation, alpha=n_views / deviating)
            means -= mean
            between.addmm_(means.T, means, alpha=n_views)
        self._add(n_views, len(views[0]), mean, within, between)
        return self

    def _add(self, n_views, n_blocks, mean, within, between):
        if self.n_views not in (0, n_views):
            raise ValueError(
                f"update got {n_views} views of each source after {self.n_views}; give as many "
                "in every batch"
            )
        if not self.n_blocks:
            self.mean, self.within, self.between = (
                torch.zeros_like(part) for part in (mean, within, between)
            )
        step, total = mean - self.mean, self.n_blocks + n_blocks
        weight = n_views * self.n_blocks * n_blocks / total
        self.between += between + weight * torch.outer(step, step)
        self.within += within
        self.mean += n_blocks / total * step
        self.n_views, self.n_blocks = n_views, total


class ClassStatistics(_Statistics):
    r"""Statistics of labelled samples, those of one class being each other's positives.

    It keeps the number and the mean :math:`m_c` of the samples of each class, and the scatter
    within classes, which is :math:`X^\top L X` for the class graph of
    :func:`spectral_ssl.relations.from_labels`.

    Parameters
    ----------
    n_features : int
        Number of columns :math:`D`.

    Attributes
    ----------
    classes : list
        The labels seen so far.
    counts : Tensor of shape (C,)
        Number of samples of each, as float64.
    means : Tensor of shape (C, D)
    within, between, scatter : Tensors of shape (D, D), float64
    """

    _KEPT = ("classes", "counts", "means", "within")

    def __init__(self, n_features):
        super().__init__(n_features)
        self.classes = []
        self.counts = torch.zeros(0, dtype=torch.float64)
        self.means = torch.zeros(0, n_features, dtype=torch.float64)
        self.within = torch.zeros(n_features, n_features, dtype=torch.float64)

    @property
    def n_samples(self):
        """Number of samples seen."""
        return int(self.counts.sum())

    @property
    def n_blocks(self):
        """Number of classes seen."""
        return len(self.classes)

    @property
    def mean(self):
        """Mean of all samples, of shape (D,)."""
        return self.counts @ self.means / self.counts.sum()

    @property
    def between(self):
        r"""Scatter of the class means, :math:`\sum_c N_c (m_c - m)(m_c - m)^\top`."""
        centered = self.means - self.mean
        return centered.T @ (self.counts[:, None] * centered)

    def update(self, X, labels):
        """Add a batch of samples.

        Parameters
        ----------
        X : Tensor of shape (n, D)
            Inputs, one sample a row.
        labels : sequence of n integers or strings

        Returns
        -------
        ClassStatistics
            The same object.

        Raises
        ------
        ValueError
            If ``X`` is not a finite matrix of the right width, or the lengths differ.
        """
        X = self._check_batch(X, "X")
        labels = labels if torch.is_tensor(labels) else np.asarray(labels)
        if tuple(labels.shape) != (len(X),):
            raise ValueError(
                f"labels has shape {tuple(labels.shape)}; give one label for each row of X"
            )
        unique = torch.unique if torch.is_tensor(labels) else np.unique
        classes, numbers, counts = unique(labels, return_inverse=True, return_counts=True)
        numbers = torch.as_tensor(numbers, device=X.device)
        counts = torch.as_tensor(counts, dtype=torch.float64, device=X.device)
        sums = X.new_zeros(len(classes), self.n_features).index_add(0, numbers, X)
        means = sums / counts[:, None]
        within = X.new_zeros(self.n_features, self.n_features)
        space = X.new_empty(min(_ROWS, len(X)), self.n_features)
        for rows, own in zip(X.split(_ROWS), numbers.split(_ROWS), strict=True):
            deviation = torch.index_select(means, 0, own, out=space[: len(rows)]).sub_(rows)
            within.addmm_(deviation.T, deviation)
        self._add(classes.tolist(), counts, means, within)
        return self

    def _add(self, classes, counts, means, within):
        if not self.classes:
            self.counts, self.means, self.within = (
                part.to(means) for part in (self.counts, self.means, self.within)
            )
        new = [label for label in classes if label not in set(self.classes)]
        self.classes = self.classes + new
        self.counts = torch.cat([self.counts, counts.new_zeros(len(new))])
        self.means = torch.cat([self.means, means.new_zeros(len(new), self.n_features)])
        place = {label: position for position, label in enumerate(self.classes)}
        rows = torch.tensor([place[label] for label in classes], device=means.device)
        before = self.counts[rows]
        share = counts / (before + counts)
        step = means - self.means[rows]
        self.within += within + step.T @ ((before * share)[:, None] * step)
        self.means[rows] += share[:, None] * step
        self.counts[rows] += counts
